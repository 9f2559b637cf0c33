import {
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isObjectType,
} from 'graphql';

/** Ways to ask for a field that must not differ in who is answered. */
export const forms = ['plain', 'alias', 'fragment', 'inline', 'variable'] as const;
export type Form = (typeof forms)[number];

/** What of an object type is asked for. */
export interface Selection {
  type: GraphQLObjectType;
  picks: Pick[];
}

/** A field, and what of it: of an abstract one by each type that it may be. */
export interface Pick {
  field: GraphQLField<unknown, unknown>;
  inside: Selection[];
}

/** Arguments of fields by coordinate: as they stand in a document, and as the type and value of a variable. */
export type FieldArguments = Record<string, Record<string, { literal: string; type: string; value: unknown }>>;

/** A document under construction: fragments and variables of what is rendered. */
export class DocumentParts {
  readonly fragments: string[] = [];
  readonly variables: Record<string, unknown> = {};
  private readonly declared: string[] = [];

  constructor(
    private readonly schema: GraphQLSchema,
    readonly form: Form,
    private readonly args: FieldArguments,
  ) {
    if (form === 'variable') this.variable('Boolean!', true);
  }

  /** `{ … }` of a selection, in the form. */
  render({ type, picks }: Selection): string {
    const fields = ['__typename', ...picks.map((pick) => this.pick(type, pick))].join(' ');
    if (this.form === 'fragment') {
      const name = `F${this.fragments.length}`;
      // Its place is taken before those inside it take theirs.
      this.fragments.push(`fragment ${name} on ${type.name} { ${fields} }`);
      return `{ ...${name} }`;
    }
    if (this.form !== 'inline') return `{ ${fields} }`;
    const [around] = [...type.getInterfaces(), ...this.unionsOf(type)];
    return around && type.name !== 'Query'
      ? `{ ... on ${around.name} { ... on ${type.name} { ${fields} } } }`
      : `{ ... on ${type.name} { ${fields} } }`;
  }

  /**
   * One field with its arguments and what is inside, under the key that `keyOf` says.
   * @param alias a key of its own
   * @param args arguments of its own
   */
  pick(
    type: GraphQLObjectType,
    { field, inside }: Pick,
    alias = keyOf(this.form, field),
    args = this.args[`${type.name}.${field.name}`],
  ): string {
    const key = alias === field.name ? '' : `${alias}: `;
    const include = this.form === 'variable' && type.name !== 'Subscription' ? ' @include(if: $v0)' : '';
    return `${key}${field.name}${this.argumentsOf(field, args)}${include}${this.inside(field, inside)}`;
  }

  private inside(field: GraphQLField<unknown, unknown>, inside: Selection[]): string {
    const behind = getNamedType(field.type);
    if (!isCompositeType(behind)) return '';
    if (inside.length === 0) return ' { __typename }';
    if (!isAbstractType(behind)) return ` ${this.render(inside[0] as Selection)}`;
    return ` { __typename ${inside.map((one) => `... on ${one.type.name} ${this.render(one)}`).join(' ')} }`;
  }

  /** The document of an operation. */
  text(operation: string, fields: string): string {
    const variables = this.declared.length > 0 ? `(${this.declared.join(', ')})` : '';
    return `${operation} Proof${variables} { ${fields} } ${this.fragments.join(' ')}`;
  }

  private argumentsOf(field: GraphQLField<unknown, unknown>, args: FieldArguments[string] = {}): string {
    const given = Object.entries(args).map(([name, { literal, type, value }]) =>
      this.form === 'variable' ? `${name}: ${this.variable(type, value)}` : `${name}: ${literal}`,
    );
    if (field.args.some(({ name }) => name === 'first')) given.push(`first: 1`);
    return given.length > 0 ? `(${given.join(', ')})` : '';
  }

  private variable(type: string, value: unknown): string {
    const name = `v${this.declared.length}`;
    this.declared.push(`$${name}: ${type}`);
    this.variables[name] = value;
    return `$${name}`;
  }

  private unionsOf(type: GraphQLObjectType) {
    return Object.values(this.schema.getTypeMap()).filter(
      (one) => isAbstractType(one) && this.schema.isSubType(one, type),
    );
  }
}

/** The response key of a field. */
export function keyOf(form: Form, field: { name: string }): string {
  return form === 'alias' ? `a_${field.name}` : field.name;
}

/** A way from a root to a type: its fields, each with the type that it is asked of. */
export type Way = { type: GraphQLObjectType; field: GraphQLField<unknown, unknown>; to: GraphQLObjectType }[];

/** The shortest ways from a root type to every object type that fields lead to, by fields that may be taken. */
export function waysFrom(
  schema: GraphQLSchema,
  root: GraphQLObjectType,
  mayTake: (coordinate: string) => boolean,
): Map<GraphQLObjectType, Way> {
  const ways = new Map<GraphQLObjectType, Way>([[root, []]]);
  for (const [type, way] of ways) {
    for (const field of Object.values(type.getFields())) {
      const behind = getNamedType(field.type);
      // What is found by ids is asked for apart: which type it is, rows say.
      if (behind.name === 'Node' || !isCompositeType(behind) || !mayTake(`${type.name}.${field.name}`)) continue;
      for (const to of isObjectType(behind) ? [behind] : schema.getPossibleTypes(behind))
        if (!ways.has(to)) ways.set(to, [...way, { type, field, to }]);
    }
  }
  return ways;
}

/** A selection of every field of the type at the end of a way, none of which is followed. */
export function allAlong(way: Way, target: GraphQLObjectType): Selection {
  const all = everyField(target);
  return way.reduceRight<Selection>((inside, { type, field }) => ({ type, picks: [{ field, inside: [inside] }] }), all);
}

/** A selection of every field of a type, none of which is followed but those named. */
export function everyField(
  type: GraphQLObjectType,
  followed: (field: GraphQLField<unknown, unknown>) => Selection[] = () => [],
): Selection {
  return { type, picks: Object.values(type.getFields()).map((field) => ({ field, inside: followed(field) })) };
}

/** Fields that a selection asks for, at every depth. */
export function countOf({ picks }: Selection): number {
  return picks.reduce((sum, { inside }) => sum + inside.reduce((below, one) => below + countOf(one), 1), 0);
}
