import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeCpio } from '../../src/image/index.ts'
import { Inputs } from '../../src/image/inputs.ts'
import { ModuleTree } from '../../src/image/kernel/modules.ts'
import { cached } from './debian-root.ts'
import { firstSector, writeExt4, writePartitioned } from './disk-images.ts'
import { fetchedRoot } from './fetched.ts'

const packages = [
  ...[
    'cloud-init',
    'dbus',
    'e2fsprogs',
    'grub-common',
    'grub-pc-bin',
    'hostname',
    'iproute2',
    'kmod',
    'mount',
    'passwd',
  ],
  ...['procps', 'udev'],
]

/**
 * A raw disk with a boot loader (GRUB, for a BIOS), one partition, and a Debian 12 with systemd, networkd and cloud-init
 * on it: what a cloud image is, made from Debian's packages without running any of their scripts.
 */
export function cloudDisk(): Promise<string> {
  return cached('cloud-1.raw', packages, async draft => {
    const root = join(draft, 'root')
    const code = bootCode(draft, root)
    setUp(root)
    compile(root)
    await addKernel(root)
    writeExt4(join(draft, 'ext4'), { from: root, mebibytes: 700 })
    const disk = join(draft, 'disk.raw')
    writePartitioned(disk, [readFileSync(join(draft, 'ext4'))], code)
    execFileSync('fallocate', ['--dig-holes', disk])
    return disk
  })
}

/** Those that need no more packages. */
const modules = `
cloud_init_modules: [bootcmd, write-files, set_hostname, update_hostname, users-groups, ssh]
cloud_config_modules: [runcmd]
cloud_final_modules: [scripts-vendor, scripts-user, final-message]
`

/** What the scripts of the packages would have done, and what images for clouds have. */
function setUp(root: string): void {
  const file = (path: string, content: string) => writeFileSync(join(root, path), content)
  const link = (from: string, to: string) => {
    mkdirSync(join(root, 'etc/systemd/system', from, '..'), { recursive: true })
    symlinkSync(to, join(root, 'etc/systemd/system', from))
  }
  for (const unit of ['cloud-init-local', 'cloud-init', 'cloud-config', 'cloud-final'])
    link(`cloud-init.target.wants/${unit}.service`, `/lib/systemd/system/${unit}.service`)
  link('multi-user.target.wants/systemd-networkd.service', '/lib/systemd/system/systemd-networkd.service')
  link('dbus-org.freedesktop.network1.service', '/lib/systemd/system/systemd-networkd.service')
  link('sockets.target.wants/systemd-networkd.socket', '/lib/systemd/system/systemd-networkd.socket')
  file('etc/cloud/cloud.cfg.d/90_modules.cfg', modules)
  file('etc/machine-id', '')
  file('etc/hostname', 'localhost\n')
  file('etc/fstab', '/dev/vda1 / ext4 defaults 0 1\n')
  file('etc/shells', '/bin/sh\n/bin/bash\n')
  const users = readFileSync(join(root, 'etc/passwd'), 'utf8').trim().split('\n')
  file('etc/shadow', users.map(line => `${line.split(':')[0]}:*:19000:0:99999:7:::\n`).join(''))
  const extra = [
    'systemd-network:x:998:998::/:/usr/sbin/nologin',
    'messagebus:x:997:997::/:/usr/sbin/nologin',
  ]
  file('etc/passwd', `${[...users, ...extra].join('\n')}\n`)
  const groups = readFileSync(join(root, 'etc/group'), 'utf8')
  file('etc/group', `${groups}systemd-network:x:998:\nmessagebus:x:997:\nsystemd-journal:x:996:\n`)
}

/** cloud-init is in Python, which compiles what it imports otherwise: in an emulated guest that takes a minute. */
function compile(root: string): void {
  const python = ['usr/bin/python3.11', '-m', 'compileall', '-q', '-x', 'lib2to3|test', '-s', root]
  runIn(root, [...python, join(root, 'usr/lib/python3'), join(root, 'usr/lib/python3.11')])
}

/** Runs a program of the root with the root's libraries. */
function runIn(root: string, [program, ...args]: string[]): void {
  const libraries = ['--library-path', join(root, 'usr/lib/x86_64-linux-gnu')]
  const loader = join(root, 'usr/lib64/ld-linux-x86-64.so.2')
  const env = { ...process.env, PYTHONHOME: join(root, 'usr') }
  execFileSync(loader, [...libraries, join(root, program!), ...args], { stdio: 'pipe', env })
}

/** The kernel that guests have too, its modules, and an initramfs that mounts the root. */
async function addKernel(root: string): Promise<void> {
  const [version] = readdirSync(join(fetchedRoot, 'lib/modules')) as [string]
  const from = join(fetchedRoot, 'lib/modules', version)
  const to = join(root, 'lib/modules', version)
  cpSync(from, to, { recursive: true })
  cpSync(join(fetchedRoot, 'boot', `vmlinuz-${version}`), join(root, 'boot/vmlinuz'), { dereference: true })
  execFileSync('depmod', ['-b', root, version])
  const tree = await ModuleTree.open(from, new Inputs())
  const modules = await tree.resolve(['virtio_pci', 'virtio_blk', 'crc32c_generic', 'ext4'])
  const file = (path: string, content: Uint8Array, mode = 0o644) =>
    ({ path, kind: 'file', mode, content }) as const
  const loads = modules.map((_, index) => `insmod /m/${index}.ko`).join('\n')
  const script = `#!/bin/busybox sh
/bin/busybox --install -s /bin
mkdir -p /dev /proc /sys /root
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
${loads}
mount -t ext4 /dev/vda1 /root
mount --move /dev /root/dev
umount /proc /sys
exec switch_root /root /sbin/init
`
  const initramfs = writeCpio([
    file('init', Buffer.from(script), 0o755),
    file('bin/busybox', readFileSync('/bin/busybox'), 0o755),
    ...modules.map(({ bytes }, index) => file(`m/${index}.ko`, bytes)),
  ])
  writeFileSync(join(root, 'boot/initrd'), initramfs)
}

/** boot.img in the MBR, which loads the sectors behind it: GRUB with what it needs to read the partition. */
function bootCode(draft: string, root: string): Buffer {
  const config = `
serial --unit=0 --speed=115200
terminal_output serial
set root=(hd0,msdos1)
linux /boot/vmlinuz root=/dev/vda1 rw console=ttyS0 net.ifnames=0
initrd /boot/initrd
boot
`
  writeFileSync(join(draft, 'grub.cfg'), config)
  const from = join(root, 'usr/lib/grub/i386-pc')
  const modules = ['biosdisk', 'part_msdos', 'ext2', 'linux', 'serial', 'terminal', 'boot']
  const target = ['-O', 'i386-pc', '-d', from, '-p', '/boot', '-c', join(draft, 'grub.cfg')]
  runIn(root, ['usr/bin/grub-mkimage', ...target, '-o', join(draft, 'core.img'), ...modules])
  const code = Buffer.concat([readFileSync(join(from, 'boot.img')), readFileSync(join(draft, 'core.img'))])
  if (code.length > firstSector * 512) throw new Error(`GRUB has ${code.length} bytes`)
  return code
}
