export {
  type CopyGuest,
  type CopyOptions,
  getBytes,
  getContent,
  getFiles,
  type PutOptions,
  putFiles,
} from './copy.ts'
export { FileError } from './errors.ts'
export type { Copied, CopyProgress, PutSource } from './source.ts'
