import type * as v from 'valibot';
import { Bug } from '../contracts/errors.ts';
import { WorldSchema } from './schema.ts';

type Json = Record<string, unknown>;
type AnySchema = v.GenericSchema & Record<string, unknown>;

/** What an action of a pipe says of its value. */
function refined(schema: AnySchema): Json {
  const json: Json = {};
  for (const action of (schema['pipe'] as (Record<string, unknown> & { type: string })[] | undefined)?.slice(1) ?? []) {
    switch (action.type) {
      case 'integer':
      case 'safe_integer':
        json['type'] = 'integer';
        break;
      case 'min_value':
        json['minimum'] = action['requirement'];
        break;
      case 'max_value':
        json['maximum'] = action['requirement'];
        break;
      case 'regex':
        json['pattern'] = (action['requirement'] as RegExp).source;
        break;
      case 'description':
        json['description'] = action['description'];
        break;
      default:
        throw new Bug(`no JSON schema for ${action.type}`);
    }
  }
  return json;
}

function base(schema: AnySchema): Json {
  switch (schema.type) {
    case 'number':
    case 'string':
    case 'boolean':
      return { type: schema.type };
    case 'unknown':
      return {};
    case 'picklist':
      return { enum: schema['options'] };
    case 'array':
      return { type: 'array', items: jsonSchemaOf(schema['item'] as AnySchema) };
    case 'union':
      return { anyOf: (schema['options'] as AnySchema[]).map(jsonSchemaOf) };
    case 'nullable':
      return { anyOf: [jsonSchemaOf(schema['wrapped'] as AnySchema), { type: 'null' }] };
    case 'optional': {
      const inner = jsonSchemaOf(schema['wrapped'] as AnySchema);
      return schema['default'] === undefined ? inner : { ...inner, default: schema['default'] };
    }
    case 'record':
      return {
        type: 'object',
        propertyNames: jsonSchemaOf(schema['key'] as AnySchema),
        additionalProperties: jsonSchemaOf(schema['value'] as AnySchema),
      };
    case 'strict_object': {
      const entries = Object.entries(schema['entries'] as Record<string, AnySchema>);
      const required = entries.filter(([, entry]) => !isOptional(entry)).map(([name]) => name);
      return {
        type: 'object',
        properties: Object.fromEntries(entries.map(([name, entry]) => [name, jsonSchemaOf(entry)])),
        ...(required.length === 0 ? {} : { required }),
        additionalProperties: false,
      };
    }
    default:
      throw new Bug(`no JSON schema for ${schema.type}`);
  }
}

const isOptional = (schema: AnySchema): boolean =>
  schema.type === 'optional' || (schema['pipe'] as AnySchema[] | undefined)?.[0]?.type === 'optional';

function jsonSchemaOf(schema: AnySchema): Json {
  const [first] = (schema['pipe'] as AnySchema[] | undefined) ?? [];
  return { ...(first === undefined ? base(schema) : { ...jsonSchemaOf(first) }), ...refined(schema) };
}

/** The JSON schema of world files, for editors. */
export const worldJsonSchema = (): Json => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'World of drybpf: the kernel objects that a program runs among',
  ...jsonSchemaOf(WorldSchema as unknown as AnySchema),
});
