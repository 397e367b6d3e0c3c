import { NFT_REG_1, NFT_REG32_00 } from '../wire/index.ts'

/** The bytes of each of the four large registers. */
export const largeRegister = 16

/**
 * The register at this byte of all: one of four with 16 bytes where one begins there, as nft numbers them, else one
 * of 16 with 4 bytes.
 */
export function registerAt(byte: number): number {
  return byte % largeRegister === 0 ? NFT_REG_1 + byte / largeRegister : NFT_REG32_00 + byte / 4
}
