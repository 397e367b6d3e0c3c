import { inRange } from '../../netlink/index.ts'
import { NFT_LIMIT_F_INV } from '../wire/index.ts'
import { type rateUnits, timeUnits as seconds } from '../words.ts'

type Unit = keyof typeof seconds

export interface Rate {
  readonly rate: number
  readonly per: Unit
  /** The unit of `rate`. Default: `packets`. */
  readonly unit?: (typeof rateUnits)[number]
  /** Default: 5 packets, or 0 bytes. */
  readonly burst?: number
  /** Matches packets above the rate instead of those within it. */
  readonly over?: boolean
}

/** NFTA_LIMIT_* of a rate. */
export function limitAttributes({ rate, per, unit = 'packets', burst, over = false }: Rate) {
  inRange({ op: 'build limit', field: 'rate', value: rate, least: 1, most: Number.MAX_SAFE_INTEGER })
  return {
    rate: BigInt(rate),
    unit: seconds[per],
    ...(unit === 'packets' ? { burst: burst ?? 5 } : burst !== undefined && { burst }),
    type: unit,
    flags: over ? NFT_LIMIT_F_INV : 0,
  } as const
}

interface LimitAttributes {
  readonly rate?: bigint | undefined
  readonly unit?: bigint | undefined
  readonly burst?: number | undefined
  readonly type?: string | number | undefined
  readonly flags?: number | undefined
}

/** The reverse of {@link limitAttributes}. */
export function rateOf({ rate = 0n, unit = 1n, burst = 0, type, flags = 0 }: LimitAttributes): Rate {
  const per = (Object.keys(seconds) as Unit[]).find(name => seconds[name] === unit) ?? 'second'
  return {
    rate: Number(rate),
    per,
    unit: type === 'bytes' ? 'bytes' : 'packets',
    burst,
    ...((flags & NFT_LIMIT_F_INV) !== 0 && { over: true }),
  }
}
