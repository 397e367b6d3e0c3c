import { text, u8, u16, u32 } from '../../base/index.ts'
import { type AttributeCodec, attributes, type Body, list, message, nested } from '../../netlink/index.ts'

/** linux/genetlink.h, with the kernel's names. */
export const GENL_ID_CTRL = 0x10
export const CTRL_CMD_GETFAMILY = 3

const operation = attributes({ command: [1, u32], flags: [2, u32] })
const group = attributes({ name: [1, text], id: [2, u32] })

/** CTRL_ATTR_*. */
const controlAttributes = attributes({
  id: [1, u16],
  name: [2, text],
  version: [3, u32],
  headerSize: [4, u32],
  maxAttribute: [5, u32],
  operations: [6, nested(list(nested(operation)))],
  groups: [7, nested(list(nested(group)))],
})

/** The message of any family: struct genlmsghdr, then attributes. */
export interface GenericMessage<A> {
  readonly command: number
  readonly version: number
  readonly attributes: A
}

/** The codec of a family's messages. */
export function genericMessage<A>(
  codec: AttributeCodec<A>,
): Body<GenericMessage<A>, Partial<GenericMessage<A>>> {
  return message({ command: u8, version: u8, reserved: u16 }, codec) as Body<
    GenericMessage<A>,
    Partial<GenericMessage<A>>
  >
}

/** The family `nlctrl`, which describes the others. */
export const controlMessage = genericMessage(controlAttributes)
