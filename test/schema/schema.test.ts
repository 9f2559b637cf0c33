import 'reflect-metadata';
import { readdirSync, readFileSync } from 'node:fs';
import { ApolloServerErrorCode } from '@apollo/server/errors';
import { beforeAll, describe, expect, test } from '@jest/globals';
import {
  type DocumentNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  isSpecifiedDirective,
  isSpecifiedScalarType,
  isUnionType,
  Kind,
  type SelectionSetNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { Role } from '../../src/auth/role.js';
import { idPrefixes } from '../../src/domain/global-id.js';
import { ErrorCode } from '../../src/graphql/errors.js';
import { problemClasses } from '../../src/graphql/problem.type.js';
import { accessRules } from '../../src/schema/access-rules.js';
import { buildGraph } from '../../src/schema/build-schema.js';
import { printGraph } from '../../src/schema/print-schema.js';
import { contract } from '../support/contract.js';
import { namedOperations } from '../support/operations.js';

/** Lists without pages, because they are short by nature. Whatever else can grow is a connection. */
const boundedLists = new Set([
  'Query.nodes', // at most 100 ids
  'Query.markets', // as many as there are countries
  'Query.periodicWork', // as many as there are kinds of it
  'Query.sales', // groups, not rows
  'Product.skus', // of one product family
  'Sku.softwareVersions', // of one SKU
  'Sku.cancellationPolicies', // one for each day that they changed
  'CancellationPolicy.refundOptions', // at most 20
  'OrderLine.refundOptions', // as many as the policy had
  'CancellationQuoteLine.refundOptions', // the line's
  'Market.closures', // one for each kind and day that it changed
  'Sku.prices', // one for each term and billing plan of one SKU
  'PriceNotFound.offers', // as many
  'Order.lines', // at most 50
  'Order.cancellations', // each cancels at least one line
  'Cancellation.lines', // at most the order's
  'CancellationQuote.lines', // at most the order's
  'PurchasePreview.lines', // at most 50
  'ReconciliationLine.differences', // at most the seven columns that are compared
  'SupportRequest.files', // at most 10
  'SupportRequest.notes', // at most 100
  'UserAmbiguous.users', // at most 100
  'Invoice.amendments', // one of each month
  'Invoice.lines', // of one customer in one month
  'Upstream.syncs', // as many as there are kinds
  'Upstream.intents', // as many as there are kinds and states
  'Upstream.failures', // at most 20
]);

describe('the schema', () => {
  let schema: GraphQLSchema;
  let types: GraphQLNamedType[];
  beforeAll(async () => {
    schema = await buildGraph();
    types = Object.values(schema.getTypeMap()).filter(
      (type) => !type.name.startsWith('__') && !isSpecifiedScalarType(type),
    );
  });

  /** Every field of object and interface types, with its coordinate. */
  const outputFields = () =>
    types
      .filter((type) => isObjectType(type) || isInterfaceType(type))
      .flatMap((type) =>
        Object.values((type as GraphQLObjectType).getFields()).map((field) => ({
          at: `${type.name}.${field.name}`,
          type: type as GraphQLObjectType,
          field: field as GraphQLField<unknown, unknown>,
        })),
      );
  /** Everything that has a name and needs a description, with its coordinate. */
  const elements = () => [
    ...types.map((type) => ({ at: type.name, ...type })),
    ...types
      .filter(isEnumType)
      .flatMap((type) => type.getValues().map((value) => ({ ...value, at: `${type.name}.${value.name}` }))),
    ...types
      .filter(isInputObjectType)
      .flatMap((type) =>
        Object.values(type.getFields()).map((field) => ({ ...field, at: `${type.name}.${field.name}` })),
      ),
    ...outputFields().flatMap(({ at, field }) => [
      { ...field, at },
      ...field.args.map((argument) => ({ ...argument, at: `${at}(${argument.name}:)` })),
    ]),
    ...schema
      .getDirectives()
      .filter((directive) => !isSpecifiedDirective(directive))
      .flatMap((directive) => [
        { ...directive, at: `@${directive.name}` },
        ...directive.args.map((argument) => ({ ...argument, at: `@${directive.name}(${argument.name}:)` })),
      ]),
  ];
  /** The values of an enum by name. */
  const valuesOf = (name: string) => {
    const type = schema.getType(name);
    return isEnumType(type)
      ? type
          .getValues()
          .map((value) => value.name)
          .toSorted()
      : undefined;
  };
  const isConnection = (type: GraphQLNamedType): type is GraphQLObjectType => /Connection$/.test(type.name);
  const objects = (pattern: RegExp) =>
    types.filter((type): type is GraphQLObjectType => isObjectType(type) && pattern.test(type.name));

  test('the committed contract is what the code prints', () => {
    expect(readFileSync('schema/schema.graphql', 'utf8')).toBe(printGraph(schema));
  });

  test('every name that the contract promises is there, of the promised type', () => {
    const missing = Object.entries(contract).flatMap(([name, promised]) => {
      const type = schema.getType(name);
      if (isEnumType(type)) return promised.filter((value) => !type.getValue(value)).map((value) => `${name}.${value}`);
      const fields = isObjectType(type) || isInputObjectType(type) || isInterfaceType(type) ? type.getFields() : {};
      return promised.filter((line) => !holds(fields, line)).map((line) => `${name}.${line}`);
    });
    expect(missing).toEqual([]);

    /** `name(argument: Type): Type`; non-null marks may be left out on either side, lists not. */
    function holds(fields: object, line: string): boolean {
      const [, name = '', args = '', promised] = /^(\w+)(?:\((.*)\))?(?:: (.+))?$/.exec(line) ?? [];
      const field = (fields as Record<string, GraphQLField<unknown, unknown>>)[name];
      const bare = (type: unknown) => String(type).replaceAll('!', '');
      const takes = (argument: string) => {
        const [argumentName, argumentType] = argument.split(': ');
        const given = field?.args.find((candidate) => candidate.name === argumentName);
        return given !== undefined && (argumentType === undefined || bare(given.type) === bare(argumentType));
      };
      return (
        field !== undefined &&
        (promised === undefined || bare(field.type) === bare(promised)) &&
        args.split(', ').filter(Boolean).every(takes)
      );
    }
  });

  test('types are PascalCase, fields and arguments camelCase, enum values UPPER_CASE', () => {
    const enumValues = types.filter(isEnumType).flatMap((type) => type.getValues().map((value) => value.name));
    expect(enumValues.filter((name) => !/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/.test(name))).toEqual([]);
    expect(types.map((type) => type.name).filter((name) => !/^[A-Z][A-Za-z0-9]*$/.test(name))).toEqual([]);
    const camel = elements()
      .map(({ at }) => at)
      .filter((at) => at.includes('.') || at.startsWith('@'))
      .map((at) => at.replace(/^.*[.(]/, '').replace(/[:)@]/g, ''))
      .filter((name) => !enumValues.includes(name));
    expect(camel.filter((name) => !/^[a-z][A-Za-z0-9]*$/.test(name))).toEqual([]);
  });

  test('fields do not begin with get, and do not repeat their type', () => {
    const repeating = outputFields().filter(
      ({ type, field }) =>
        /^(get|query|fetch|list)[A-Z]/.test(field.name) ||
        field.name.toLowerCase().startsWith(type.name.toLowerCase().replace(/(detail|type)$/, '')),
    );
    // Microsoft's own names of the two ids: productId "DG7GMGF0FKZV", skuId "0003".
    expect(repeating.map(({ at }) => at).sort()).toEqual(['Product.productId', 'Sku.skuId']);
  });

  describe('a description', () => {
    const breaking = (rule: (description: string) => boolean) =>
      elements()
        .filter(({ description }) => rule(description ?? ''))
        .map(({ at, description }) => `${at}: ${description}`);

    test('is a sentence that ends with a full stop, and long enough to say more than the name', () => {
      expect(breaking((text) => !/^[A-Z`].*\.$/.test(text))).toEqual([]);
      expect(breaking((text) => text.length < 20 || text.split(/\s+/).length < 4)).toEqual([]);
    });

    test('has a subject, and is no answer to a question that nobody asked', () => {
      expect(breaking((text) => /^(Of|By|At|In|From|Since|Before|After|About) /.test(text))).toEqual([]);
    });

    test('does not say what only the repository knows: no numbers of rules, no names of documents', () => {
      expect(breaking((text) => /\brules? \d+|\w\.md\b/i.test(text))).toEqual([]);
    });

    test('does not list roles: `@auth` does', () => {
      const role = new RegExp(`\\b(${Object.keys(Role).join('|')})\\b`);
      expect(breaking((text) => role.test(text))).toEqual([]);
    });

    test('of a field that may be null says what null means; of a guarded one, that a refusal is null too', () => {
      const nullable = outputFields().filter(({ field }) => !isNonNullType(field.type));
      expect(nullable.length).toBeGreaterThan(50);
      const silent = nullable.filter(({ field }) => !/\bnull\b/i.test(field.description ?? ''));
      expect(silent.map(({ at }) => at)).toEqual([]);
      const hasAuth = (coordinate: string) => (accessRules[coordinate]?.roles ?? 'everyone') !== 'everyone';
      const guarded = nullable.filter(({ at, field }) => hasAuth(at) || hasAuth(getNamedType(field.type).name));
      expect(guarded.length).toBeGreaterThan(20);
      const refusal = / Null, with a `FORBIDDEN` error, where your roles do not allow it\.$/;
      expect(guarded.filter(({ field }) => !refusal.test(field.description ?? '')).map(({ at }) => at)).toEqual([]);
    });
  });

  test('nothing is unreachable', () => {
    const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
    const reached = new Set<GraphQLNamedType>();
    const visit = (type: GraphQLNamedType | null | undefined): void => {
      if (!type || reached.has(type)) return;
      reached.add(type);
      if (isInterfaceType(type) || isUnionType(type)) for (const member of schema.getPossibleTypes(type)) visit(member);
      if (isObjectType(type)) for (const face of type.getInterfaces()) visit(face);
      if (isObjectType(type) || isInterfaceType(type))
        for (const field of Object.values(type.getFields())) {
          visit(getNamedType(field.type));
          for (const argument of field.args) visit(getNamedType(argument.type));
        }
      if (isInputObjectType(type)) for (const field of Object.values(type.getFields())) visit(getNamedType(field.type));
    };
    for (const root of roots) visit(root);
    // What `errors` hold is no part of the type graph: this enum is there to be read.
    visit(schema.getType('ErrorCode'));
    for (const directive of schema.getDirectives())
      for (const argument of directive.args) visit(getNamedType(argument.type));
    expect(types.filter((type) => !reached.has(type)).map((type) => type.name)).toEqual([]);
  });

  test('numbers are whole or decimal text: there is no Float', () => {
    expect(schema.getType('Float')).toBeUndefined();
  });

  test('references are objects: an output field ending in Id is a GUID or a number of the outside world', () => {
    const ids = outputFields().filter(({ field }) => /Ids?$/.test(field.name));
    expect([...new Set(ids.map(({ field }) => field.name))].sort()).toEqual([
      // Ids of the upstream are text as it writes them.
      'alternateId',
      'correlationId',
      // The job is no longer there, as a rule: the log names it.
      'jobId',
      'nodeId',
      'objectId',
      'productId',
      'productIds',
      'recordId',
      'skuId',
      'subscriptionId',
      'tenantId',
      'upstreamOrderId',
    ]);
  });

  test('a list that can grow is a connection', () => {
    const plain = outputFields().filter(
      ({ type, field }) =>
        isListType(getNullableType(field.type)) && isCompositeType(getNamedType(field.type)) && !isConnection(type),
    );
    expect(plain.map(({ at }) => at).sort()).toEqual([...boundedLists].sort());
  });

  test("connections, edges and their arguments have Relay's form", () => {
    const connections = objects(/Connection$/);
    expect(connections.length).toBeGreaterThan(5);
    for (const connection of connections) {
      const { edges, pageInfo, nodes, totalCount } = connection.getFields();
      expect(String(pageInfo?.type)).toBe('PageInfo!');
      expect(String(totalCount?.type)).toBe('Int!');
      const edge = getNamedType(edges?.type) as GraphQLObjectType;
      expect([connection.name, String(edges?.type), edge.name]).toEqual([
        connection.name,
        `[${edge.name}!]!`,
        expect.stringMatching(/Edge$/),
      ]);
      expect(String(edge.getFields()['cursor']?.type)).toBe('String!');
      const node = getNamedType(edge.getFields()['node']?.type) as GraphQLObjectType;
      expect(node.getInterfaces().map((face) => face.name)).toContain('Node');
      expect(getNamedType(nodes?.type)).toBe(node);
    }
    expect(String((schema.getType('PageInfo') as GraphQLObjectType).getFields()['hasNextPage']?.type)).toBe('Boolean!');
    for (const { at, field } of outputFields().filter(({ field }) => isConnection(getNamedType(field.type)))) {
      const args = Object.fromEntries(field.args.map(({ name, type }) => [name, String(type)]));
      expect({ at, ...args }).toMatchObject({ at, first: 'Int', after: 'String', last: 'Int', before: 'String' });
    }
  });

  test('every type with a global id implements Node, and no other does', () => {
    const nodes = schema.getPossibleTypes(schema.getType('Node') as never).map((type) => type.name);
    expect(nodes.toSorted()).toEqual(Object.keys(idPrefixes).toSorted());
    const withId = objects(/./).filter((type) => type.getFields()['id'] && !nodes.includes(type.name));
    expect(withId.map((type) => type.name)).toEqual([]);
  });

  test('operations select the id of whatever has one: stores of clients know objects by it', () => {
    const lacking: string[] = [];
    for (const { name, document } of namedOperations()) {
      const at: string[] = [];
      const info = new TypeInfo(schema);
      const visitor = visitWithTypeInfo(info, {
        enter: (node) => {
          if (node.kind !== Kind.FIELD && node.kind !== Kind.FRAGMENT_DEFINITION) return;
          at.push(node.name.value);
          const type = info.getType();
          const named = type && getNamedType(type);
          const hasId = (isObjectType(named) || isInterfaceType(named)) && named.getFields()['id'];
          if (hasId && !selectsId(node.selectionSet, document)) lacking.push(`${name}: ${at.join('.')}`);
        },
        leave: (node) => {
          if (node.kind === Kind.FIELD || node.kind === Kind.FRAGMENT_DEFINITION) at.pop();
        },
      });
      visit(document, visitor);
    }
    expect(lacking).toEqual([]);

    /** Whether every object that the selection is of answers `id`: a fragment on another type says nothing. */
    function selectsId(selectionSet: SelectionSetNode | undefined, document: DocumentNode): boolean {
      return (selectionSet?.selections ?? []).some((selection) => {
        if (selection.kind === Kind.FIELD) return selection.name.value === 'id' && !selection.alias;
        if (selection.kind === Kind.INLINE_FRAGMENT)
          return !selection.typeCondition && selectsId(selection.selectionSet, document);
        const fragment = document.definitions.find(
          (definition) =>
            definition.kind === Kind.FRAGMENT_DEFINITION && definition.name.value === selection.name.value,
        );
        return fragment?.kind === Kind.FRAGMENT_DEFINITION && selectsId(fragment.selectionSet, document);
      });
    }
  });

  test('a mutation takes one input of its own and answers a union of its own', () => {
    const mutations = Object.values(schema.getMutationType()?.getFields() ?? {});
    expect(mutations).not.toHaveLength(0);
    for (const { name, args, type } of mutations) {
      const title = name.charAt(0).toUpperCase() + name.slice(1);
      expect([name, args.map((argument) => `${argument.name}: ${argument.type}`)]).toEqual([
        name,
        [`input: ${title}Input!`],
      ]);
      expect([name, getNamedType(type).name]).toEqual([name, `${title}Result`]);
      expect(isUnionType(getNamedType(type))).toBe(true);
    }
  });

  test('a result has exactly one success; every other member is a Problem with a stable code', () => {
    const results = types.filter(isUnionType).filter((type) => /Result$/.test(type.name));
    for (const result of results) {
      const [successes, problems] = [true, false].map((isSuccess) =>
        result.getTypes().filter((member) => member.name.endsWith('Success') === isSuccess),
      );
      expect([result.name, successes?.map((member) => member.name)]).toEqual([
        result.name,
        [result.name.replace(/Result$/, 'Success')],
      ]);
      for (const problem of problems ?? [])
        expect([problem.name, problem.getInterfaces().map((face) => face.name)]).toEqual([problem.name, ['Problem']]);
    }
    // Stands for whatever a problem is told: lines, instants, names.
    const anything = Object.assign([], { toISOString: () => '' });
    const codes = [...problemClasses].map(([name, Class]) => [
      name,
      (Reflect.construct(Class, Array(4).fill(anything)) as { code: string }).code,
    ]);
    // The code is the name in UPPER_SNAKE: nobody has to look it up.
    expect(codes).toEqual(codes.map(([name = '']) => [name, name.replace(/(?<!^)([A-Z])/g, '_$1').toUpperCase()]));
    const shown = schema.getPossibleTypes(schema.getType('Problem') as never).map((type) => type.name);
    expect(shown.toSorted()).toEqual([...problemClasses.keys()].toSorted());
    expect(valuesOf('ProblemCode')).toEqual(codes.map(([, code]) => code).toSorted());
  });

  test('ErrorCode has every code that an error can carry, and no other', () => {
    expect(valuesOf('ErrorCode')).toEqual(Object.values(ErrorCode).toSorted());
    // Apollo's own errors keep their codes on the way out.
    expect(valuesOf('ErrorCode')).toEqual(expect.arrayContaining(Object.values(ApolloServerErrorCode)));
    const source = readdirSync('src', { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts') && !path.startsWith('web/'))
      .map((path) => readFileSync(`src/${path}`, 'utf8'))
      .join('\n');
    // `codedError` takes none that is not in the list; what goes round it must not bring a text of its own.
    expect(source).not.toMatch(/new GraphQLError\([^;]*code: '/);
  });

  test('every root field is guarded, but for a short public list', () => {
    const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
    const open = roots.flatMap((root) =>
      Object.values(root?.getFields() ?? {})
        .filter((field) => !field.extensions['directives'])
        .map((field) => field.name),
    );
    expect(open.toSorted()).toEqual(['markets', 'viewer']);
  });

  test('a refusal costs one field: what is guarded is nullable', () => {
    const guarded = outputFields().filter(({ field }) => field.extensions['directives']);
    const subscriptions = guarded.filter(({ type }) => type.name === 'Subscription');
    expect(
      guarded.filter((one) => !subscriptions.includes(one) && isNonNullType(one.field.type)).map(({ at }) => at),
    ).toEqual([]);
    // A refused stream never begins, so its messages need not be nullable.
    expect(subscriptions.length).toBeGreaterThan(0);
  });

  test('the roles are those of the tokens', () => {
    const role = schema.getType('Role');
    expect(
      isEnumType(role) &&
        role
          .getValues()
          .map((value) => value.name)
          .toSorted(),
    ).toEqual(Object.keys(Role).toSorted());
  });
});
