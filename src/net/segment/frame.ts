import { macText } from '../../base/index.ts'

/** A captured Ethernet frame. */
export interface Frame {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly source: string
  readonly destination: string
  /** 0x0800 IPv4, 0x86dd IPv6, 0x0806 ARP … */
  readonly etherType: number
  /** The whole frame from the destination address on, without the check sequence. */
  readonly bytes: Uint8Array
}

/** Destination, source and type (IEEE 802.3 §3.2). */
export const ethernetHeader = 14

/** Reads the header. Undefined when `bytes` is too short for a frame. */
export function frameOf(bytes: Uint8Array, at: number): Frame | undefined {
  if (bytes.length < ethernetHeader) return undefined
  return {
    at,
    destination: macText(bytes.subarray(0, 6)),
    source: macText(bytes.subarray(6, 12)),
    etherType: (bytes[12]! << 8) | bytes[13]!,
    bytes,
  }
}
