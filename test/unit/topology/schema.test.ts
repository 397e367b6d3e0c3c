import { expect, test } from 'vitest'
import { jsonSchema } from '../../../src/topology/index.ts'

test('the JSON Schema that editors read is that of what is accepted', async () => {
  const text = `${JSON.stringify(jsonSchema(), undefined, 2)}\n`
  await expect(text).toMatchFileSnapshot('../../../docs/topology.schema.json')
})
