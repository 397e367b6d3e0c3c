import { be16, text, u8, type ValueOf } from '../../base/index.ts'
import { attributes, bareText, nested, repeated } from '../../netlink/index.ts'

/** struct nfgenmsg. */
export const nfgenmsg = { family: u8, version: u8, resource: be16 }

/** NFTA_DEVICE_*: interfaces by name, or by how their names begin (Linux 6.18). */
export const deviceNames = nested(
  attributes({ names: [1, repeated(text)], prefixes: [2, repeated(bareText)] }),
)
export type DeviceNames = ValueOf<typeof deviceNames>
