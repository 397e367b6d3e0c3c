export {
  be16,
  be32,
  be64,
  bytes,
  type Codec,
  DecodeError,
  EncodeError,
  type ErrorKind,
  flag,
  i32,
  Reader,
  struct,
  text,
  u8,
  u16,
  u32,
  u64,
  type ValueOf,
  Writer,
} from '../base/index.ts'
export { buildAtOnce } from './build.ts'
export { Connection, type NetlinkPort, type NetlinkReceiver } from './connection.ts'
export { type Doing, inRange, NetlinkError, type OutOfRange, outOfRange } from './errors.ts'
export * from './open.ts'
export { datagramOf, type Request, request } from './request.ts'
export { type Lost, Subscription } from './subscription.ts'
export type { MessageDecoder, NetlinkTraceValue, SocketDescription } from './trace.ts'
export * from './wire/index.ts'
