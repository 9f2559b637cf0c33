import { getDocumentNodeFromSchema } from '@graphql-tools/utils';
import { type DocumentNode, type GraphQLSchema, lexicographicSortSchema } from 'graphql';
import type { IntrospectionPolicy } from '../config/config.js';
import { Lru } from '../lib/lru.js';
import type { AccessTable } from './access-table.js';
import { reachOf } from './reach.js';
import { type SchemaView, viewOf } from './schema-view.js';
import type { Viewer } from './viewer.js';

/** Views kept: tokens carry few sets of roles, but could carry any. */
const MAXIMUM_VIEWS = 50;

/** The schema as each set of roles may use it: made when somebody first asks, kept by the roles. */
export class SchemaViews {
  private readonly document: DocumentNode;
  private readonly views = new Lru<string, SchemaView>(MAXIMUM_VIEWS);

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly accessTable: AccessTable,
    /** Who may see the schema at all. */
    private readonly policy: IntrospectionPolicy,
  ) {
    this.document = getDocumentNodeFromSchema(lexicographicSortSchema(schema));
  }

  /** What a viewer may see of the schema; null: nothing, where introspection is off for them. */
  of(viewer: Pick<Viewer, 'identity' | 'roles'>): SchemaView | null {
    if (this.policy === 'nobody' || (this.policy === 'signed-in' && !viewer.identity)) return null;
    return this.usable(viewer);
  }

  /** What a viewer may use of the schema, whether they may see it or not. */
  usable({ roles }: Pick<Viewer, 'roles'>): SchemaView {
    const access = this.accessTable.for(roles);
    let view = this.views.get(access.key);
    if (!view) {
      view = viewOf(this.document, reachOf(this.schema, access), access.roles);
      this.views.set(access.key, view);
    }
    return view;
  }
}
