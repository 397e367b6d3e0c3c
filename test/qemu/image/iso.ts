const SECTOR = 2048

/** ISO 9660 stores numbers twice: little-endian, then big-endian (ECMA-119 §7.2.3, §7.3.3). */
function both(value: number, bytes: 2 | 4): Buffer {
  const out = Buffer.alloc(bytes * 2)
  out.writeUIntLE(value, 0, bytes)
  out.writeUIntBE(value, bytes, bytes)
  return out
}

function record(name: Buffer, at: { sector: number; size: number; directory: boolean }): Buffer {
  const parts = [
    both(at.sector, 4),
    both(at.size, 4),
    Buffer.alloc(7),
    Buffer.of(at.directory ? 2 : 0, 0, 0),
    both(1, 2),
  ]
  const body = Buffer.concat([Buffer.alloc(1), ...parts, Buffer.of(name.length), name])
  const length = Math.ceil((body.length + 1) / 2) * 2
  return Buffer.concat([Buffer.of(length), body], length)
}

/** An ISO 9660 image with these files at its top (ECMA-119); names such as `10A.TAR`. */
export function isoImage(files: Readonly<Record<string, Uint8Array>>): Buffer {
  const names = Object.keys(files).sort()
  const firsts: number[] = []
  let next = 19
  for (const name of names) {
    firsts.push(next)
    next += Math.ceil(files[name]!.length / SECTOR)
  }
  const root = (name: number) => record(Buffer.of(name), { sector: 18, size: SECTOR, directory: true })
  const records = names.map((name, i) =>
    record(Buffer.from(`${name};1`), { sector: firsts[i]!, size: files[name]!.length, directory: false }),
  )
  const image = Buffer.alloc(next * SECTOR)
  const volume = image.subarray(16 * SECTOR)
  volume.write('\x01CD001\x01', 'latin1')
  volume.fill(' ', 8, 72)
  both(next, 4).copy(volume, 80)
  for (const at of [120, 124]) both(1, 2).copy(volume, at)
  both(SECTOR, 2).copy(volume, 128)
  root(0).copy(volume, 156)
  image.write('\xffCD001\x01', 17 * SECTOR, 'latin1')
  Buffer.concat([root(0), root(1), ...records]).copy(image, 18 * SECTOR)
  names.forEach((name, i) => {
    image.set(files[name]!, firsts[i]! * SECTOR)
  })
  return image
}
