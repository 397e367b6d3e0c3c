import * as wire from './wire/constants.ts'

const always: Readonly<Record<string, number>> = {
  REQUEST: wire.NLM_F_REQUEST,
  MULTI: wire.NLM_F_MULTI,
  ACK: wire.NLM_F_ACK,
  ECHO: wire.NLM_F_ECHO,
  DUMP_INTR: wire.NLM_F_DUMP_INTR,
  DUMP_FILTERED: wire.NLM_F_DUMP_FILTERED,
}

/** The upper bits mean something else for each verb (linux/netlink.h). */
const upper: readonly (readonly [type: RegExp, flags: Readonly<Record<string, number>>])[] = [
  [/GET/, { ROOT: wire.NLM_F_ROOT, MATCH: wire.NLM_F_MATCH }],
  [/DEL/, { NONREC: 0x100, BULK: 0x200 }],
  [
    /NEW|SET/,
    {
      REPLACE: wire.NLM_F_REPLACE,
      EXCL: wire.NLM_F_EXCL,
      CREATE: wire.NLM_F_CREATE,
      APPEND: wire.NLM_F_APPEND,
    },
  ],
  [/ERROR|DONE/, { CAPPED: wire.NLM_F_CAPPED, ACK_TLVS: wire.NLM_F_ACK_TLVS }],
]

/** `REQUEST|ACK|CREATE|EXCL`, by the kernel's names without their NLM_F_; what has none is a number. */
export function flagsText(type: string, flags: number): string {
  const [, special = {}] = upper.find(([types]) => types.test(type)) ?? []
  let left = flags
  const names = Object.entries({ ...always, ...special }).flatMap(([name, bit]) => {
    if (!(flags & bit)) return []
    left &= ~bit
    return [name]
  })
  const text = names.join('|').replace('ROOT|MATCH', 'DUMP')
  return left === 0 ? text : [text, `0x${left.toString(16)}`].filter(Boolean).join('|')
}
