export { buildImage, type GuestImage, type ImageOptions } from './build.ts'
export { ImageError } from './errors.ts'
export { Inputs } from './inputs.ts'
export { findKernel, type KernelFiles, type KernelSearch } from './kernel.ts'
