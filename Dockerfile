# One image for every gateway; compose.yaml builds it. Its commands: docker run --rm -e DATABASE_URL=… IMAGE npm run migrate
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build && npm prune --omit=dev

FROM node:24-slim
# Health and metrics are on a port of their own: publish 4000 to clients, and 4001 to nobody but operators.
ENV NODE_ENV=production HOST=0.0.0.0 ADMIN_PORT=4001 DATA_DIR=/tmp/csp-graph
WORKDIR /app
COPY --from=build /app/package.json ./
# What the npm scripts are made of.
COPY --from=build /app/run.mjs ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY --from=build /app/schema schema
USER node
EXPOSE 4000 4001
# Asks /health/ready where the settings say that it is, with their token.
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s CMD ["node", "dist/src/cli/health.js"]
# Node itself, not npm: the SIGTERM of a deploy must reach it. The flags are `npm start`'s.
CMD ["node", "--max-semi-space-size=16", "--heap-growing-percent=50", "dist/src/main.js"]
