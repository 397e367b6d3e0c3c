/**
 * One plain text, and the output of the original tools for it: `COMMAND < plain | base64` on Debian 12, Linux
 * 6.1. The options are those of the kernel's own build (scripts/Makefile.lib), where it has some.
 */
export const plain = Buffer.concat([
  Buffer.from(
    Array.from(
      { length: 59 },
      (_, i) => `node vm-${String(i + 1).padStart(3, '0')} 192.168.0.${i + 1}\n`,
    ).join(''),
  ),
  Buffer.from(Array.from({ length: 200 }, (_, i) => (i * i * 31) % 256)),
  Buffer.alloc(500),
])

const packed = (...lines: string[]) => Buffer.from(lines.join(''), 'base64')

/** `gzip -9n -c < plain`, gzip 1.12. */
export const gzip = packed(
  'H4sIAAAAAAACA+3ULUhDURiA4dMGK0bLQJvJ7X5/+4GBcXHRMrAoJt1NWgaLi4srA6PRuDLwNqNxZWA0eptlMJu+t9v0i+8Jh4fz',
  'czu+vDq+uznNMjmWnjal3W1mTanffndFV3RDN3RHd/RAD/Q2ehu9g95B76J30XvovZ8uGV0ZFipgiIViAVlIFpiFZgFaiBaohWoB',
  'W8gWuIVuAVwIF8iVcoVcKVfItXLWkCvlCrlSrpAr5Qq5Uq6QK+UKuVKukCvlCrlRbpAb5Qa5UW6QW+WaQ26UG+RGuUFulBvkRrlB',
  'bpQb5Ea5Qe6UO+ROuUPulDvkTrlD7pUXDrlT7pA75Q65U+6QO+UOuVPukAflAXlQHpAH5QF5UB6QB+UBeVQ+N8iD8oA8KA/Ig/KA',
  'PCiPXj0dTQ7L2uijeG085vfrs7Tvr/Lr5UHxtB2Um91Fetudly/bVjFfvued/jQ9rz/zk8awGI9m5WLykB4mi3I2GhfDxkn+uX5O',
  '034nf1/Oi9b2pTzfvaWL3aYcbJ+Kg+V1vurv09n6Pn9svBYfo1p5ODn6rf3T//y5+QKiVZ2EdggAAA==',
)

/** `xz --check=crc32 --x86 --lzma2=dict=1MiB -c < plain`, xz 5.4.1. */
export const xz = packed(
  '/Td6WFoAAAFpIt42AgEEACEBEACLIW9J4Ah1ATtdADcbyLBTPqSoiSAyeDRbZV8DBys1qB33g2dVmyfrsbZgdNr7kryZdUFlkzf3',
  '1jG51a3xM3wo0zbjEgW6tTbGYN5P8dTdS4h8aj/zX3M8NhFsxMJskdy4wEWZMIQe1EOS20Rvo5E8uYaaG6m+EvYvGQxWPH/9Nrgr',
  '3CD54Z9+LfK4piw8KbpfSsHokx7ID5f3a88WOeMoTDLkFgqUfG3lrsS4WAXBKdOPEjhX8cF0zEfAFRYf7Rbm/JY+X+ZFMxouQH/7',
  'M1JcvyTamt3GP/5USn3GfLuLgJiFEtVOICJAfRfRPwNxPqhktZ34iZpMRxoguXj1ZIcgO8d6FWbbFxaVlWj3r70vwVqa62+Zq3QR',
  'iWyj/PzTjDg2KW66gdSPv2qChOrVsHlpgnindHsbm356ghKfmuYYgKRDphMAAAAAolWdhAAB0wL2EAAANwMUkj4wDYsCAAAAAAFZ',
  'Wg==',
)

/** `lz4 -l -9 -c < plain`, lz4 1.9.4. */
export const lz4 = packed(
  'AiFMGHcCAAD2CW5vZGUgdm0tMDAxIDE5Mi4xNjguMC4xChgAFzIYABcyGAAXMxgAFzMYABc0GAAXNBgAFzUYABc1GAAXNhgAFzYY',
  'ABc3GAAXNxgAFzgYABc4GAAXORgAFjkYACgxMNgAFzAZAAnxAAfyABgx8gAXMfMAGDHzABcx9AAYMfQAFzH1ABgx9QAXMfYAGDH2',
  'ABcx9wAYMfcAFzH4ABgx+AAXMfkAGDH5ABcx+gAYMvoAFzL6ABgy+gAXMvoAGTLsAQf6ABgy+gAXMvoAGDL6ABcy+gAYMvoAFzL6',
  'ABgy+gAXMvoAGDL6ABcy+gAYMvoAFzL6ABgy+gAXMvoAGDP6ABcz+gAYM/oAFzP6ABgz+gAXM/oAGTPnAgf6ABgz+gAXM/oAGDP6',
  'ABcz+gAYM/oAFzP6ABgz+gAXM/oAGDP6ABcz+gAYM/oAFzP6ABg0+gAXNPoAGDT6ABc0+gAYNPoAFzT6ABg0+gAXNPoAGTTiAwf6',
  'ABg0+gAXNPoAGDT6ABc0+gAYNPoAFzT6ABg0+gAXNPoAGDT6ABc0+gAYNfoAFzX6ABg1+gAXNfoAGDX6ABc1+gAYNfoAFzX6ABg1',
  '+gAXNfoAGTXdBAf6ABg1+gAXNfoAGDX6ABc1+gAYNfoAFzX6ABg1+gD/dDU5CgAffBfwB1zvwM8cp3B3vD8A/zy3cGecD8Cv3Efw',
  '1/xfAN/8V/DH3C/Aj5zncDc8fwC/vPdwJxxPwG9ch/CXfJ8An3yX8Idcb8BPHCdw97y/AH88N3DnnI/AL9zH8Ff83wBf/NfwR9yv',
  'wA+cZ3C3PP8AP7x3cKccz8DvXAfwF3wfgAA1HwABAP/cUAAAAAAA',
)

/** `zstd -q -19 --no-check -c plain`, zstd 1.5.4. */
export const zstd = packed(
  'KLUv/WB2Bw0KAFZUQiqQTQdg0rw55rLGsMZljdMua5x2U0yMFtAON6cFRkopU0opYkTWnZWhlgwyAC0AOgDNzMsLGTJdOnfKlXHj',
  '7/t6b/Py7sKFS+mcUsb4797NHFgERMy4CKZbWAgPkkoB8qBMAtTp9CldRo/v7+7tzc7rCx06bTp7ypax4/d7e3dz8/bChk2ZTp6S',
  'ZeT4/M7eHJ93qWQlYRktsYG4Rjd6jk7ELbaOJsAi1VOdniKzVA4V0koWgBtchBegT+dP+TJ+/H9/729+3l/48AOPcA04gFXSQhSn',
  'WjLFO1WeGsEEWmdbcKLO8UZdgwNtCS2DkaqsLu+TmaqBYmgUC8Nprs3bXBoOY1E0BmWopix2qBEg+v7PbuCFYQ0SeA79/v8fc/Ds',
  'FjCowQBQAH/377cFIAD9+e9fL4AAButPH3W67FSqAQ==',
)

/** `zstd -q --ultra -22 -c < plain`, zstd 1.5.4. */
export const zstdStream = packed(
  'KLUv/QSIDQoAVlRCKpBNB2DSvDnmssawxmWN0y5rnHZTTIwW0A43pwVGSilTSiliRNadlaGWDDIALQA6AM3MywsZMl06d8qVcePv',
  '+3pv8/LuwoVL6ZxSxvjv3s0cWAREzLgIpltYCA+SSgHyoEwC1On0KV1Gj+/v7u3NzusLHTptOnvKlrHj93t7d3Pz9sKGTZlOnpJl',
  '5Pj8zt4cn3epZCVhGS2xgbhGN3qOTsQtto4mwCLVU52eIrNUDhXSShaAG1yEF6BP50/5Mn78f3/vb37eX/jwA49wDTiAVdJCFKda',
  'MsU7VZ4awQRaZ1twos7xRl2DA20JLYORqqwu75OZqoFiaBQLw2muzdtcGg5jUTQGZaimLHaoESD6/s9u4IVhDRJ4Dv3+/x9z8OwW',
  'MKjBAFAAf/fvtwUgAP35718vgAAG608fdbrsVKoBv60RYw==',
)

/** Opcodes of calls and the last bytes of targets: they reach every branch of the x86 filter. */
export const opcodes = Uint8Array.from({ length: 1500 }, next(12345, [0xe8, 0xe9, 0x00, 0xff, 0xe8, 0x10]))

function next(seed: number, choice: number[]): () => number {
  let state = seed
  return () => {
    state = Number((BigInt(state) * 1103515245n + 12345n) & 0x7fffffffn)
    return choice[(state >> 16) % choice.length]!
  }
}

/** `xz --check=crc32 --x86 --lzma2=dict=1MiB -c < opcodes`, xz 5.4.1. */
export const xzOpcodes = packed(
  '/Td6WFoAAAFpIt42AgEEACEBEACLIW9J4AXbA0FdAHRjogB4AA3xwsnL2WU0OtvG5qjMgpyhSmnrJcaYLAB7d+jkZTq8xz3e9zVf',
  'gJhAg67n1ONjgc+fQCWvoW9IM1/GmhJ2ME6NYKlnNeHM6/XuByf0GKZGfu2yJ27KE49AeQeZyIAk4ufxHD9SJgp7jciSOEfNhbYi',
  'gfGKqEjxNMHbm/0s4EEwNlcyUZE8cj8CYCfaSOjX3+Ttn84Tu9M+06bmx5oUdRtH92Gqz+/buoBh8KRIGk/ALj0aa2yZs7/o7IUA',
  'Xyi4YYqbTD88fHksfDJRJuOe29CJFk/bWUCpEhg3gb/dLKcK2Qw0gvfqb4Jl9thxReGChao/BEpZvG7HfTbQYvpVx3j3br160b5h',
  'VSoc+kez1ZpoFH4ekU8tND/u6GRZhWSMZn5VaOX17qWLTpY1n01i0XsZBufE1iC08xRj7IN0d5GgbjOJCjTWcKgiNaWl8IGNOsMJ',
  'k0T0R5MNgz/8WZ6A49Ni6fjc8bw7udanOVWPg51hzWuUbL/D93G0tZhOcOQOKUcnjFA6gxo1xLnPTPhMyceCX8KHRxDNiwFlO+3f',
  'dvV6He5695SSytlGXjbTIt8X4Oe7/dpETDPXn6pXJO56WN+6GcUeAbbxNpHSQIXRPwtgnGrj5gOE24I77J3qJwKyq1jj3oZ2+2J8',
  'AUQXjN3n5jelA+E706RO0BSbjvLzdxQJDT+Ep5AYcmHuApaFVJC/FoFP1UJ4d5MbQtA0EAg+M7Y1d2QCu6Mns88sxUadP2fvcFJl',
  'Fj+IGjVPkA2gIPypsZNb55Ks0fUWAo1eFXYIzLHI2Zapxu4c2aQmiGIoG/HAgellxH7EOpoAUd818Sb/D9Q3SGzNlt7x1ryyNJyI',
  'HcDSJdatz5zRWm3K+mCI6U9wlYNzBw9inkE9SLz/RxM8r+T3YXGvY6160m5mALJvde3aUlUs1DtWsCeYZjSGFCfi+8M5iKxBdiHR',
  'f6S0YP7jx42kIQ9htAQqkR1BjjWvE+hXvxt7moiTRwm9N9zThVjxSYxMpG4qt9vB4Hq7Tm5FWe2JEk+ud3r5CmeIwhG8NDAp6hkA',
  'r7eOD6OJ44Z87YIr/iJ3nD4yWd0HTlD+3QzWtISKLU9v2tJo9/G6AAAAAFeqOGcAAdkG3AsAAFqF8xk+MA2LAgAAAAABWVo=',
)
