// One VM with the default guest, which `npx xc setup` has prepared, and a command in it.
import { mkdtempSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildImage } from 'xcluster'
import { detectAccel, findQemu, startVm } from 'xcluster/vm'

const cacheDir = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'xcluster')
const folder = mkdtempSync(join(tmpdir(), 'example-'))
const identity = { uid: process.getuid!(), gid: process.getgid!() }

const qemu = await findQemu({ searchPath: process.env.PATH! })
const accel = await detectAccel({ want: 'auto', qemu, identity, cacheDir, notice: () => {} })
const image = await buildImage({ cacheDir })
{
  await using vm = await startVm({
    name: 'vm-001',
    qemu: qemu.path,
    kernel: image.vmlinux,
    initramfs: image.initramfs,
    memoryMiB: 128,
    vcpus: 1,
    accel: accel.kind,
    identity,
    nics: [],
    consoleLog: join(folder, 'console.log'),
  })
  await vm.ready
  const { stdout } = await vm.exec('uname -s')
  console.log(`the guest runs ${stdout.toString().trim()}`)
}
rmSync(folder, { recursive: true })
