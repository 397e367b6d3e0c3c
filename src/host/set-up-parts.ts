/**
 * What scripts/setup takes from the library. It is packed as `dist/library/setup.js`, and package.json does not export it.
 */
export { buildImage } from '../image/index.ts'
export { nativeMisfit } from '../sys/index.ts'
