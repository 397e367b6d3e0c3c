/** The datagrams in strace's hexadecimal dumps. One that was peeked at first appears twice, and counts once. */
export function datagrams(text: string): Uint8Array[] {
  const calls = text.split(/^(?=\w+\()/m).filter(call => !call.includes('MSG_PEEK'))
  return calls.flatMap(call => {
    const bytes = Array.from(
      call.matchAll(/^ \| [0-9a-f]+ {2}((?:[0-9a-f]{2} {1,2})+)/gm),
      ([, hex]) => hex,
    ).join(' ')
    return bytes === '' ? [] : [Uint8Array.from(bytes.trim().split(/\s+/), byte => Number.parseInt(byte, 16))]
  })
}
