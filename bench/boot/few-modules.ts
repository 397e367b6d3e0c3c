import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { GuestImage } from '../../src/image/index.ts'
import { builtFile } from '../built.ts'

/**
 * The modules that guests had before they had all of them. A kernel may lack some. Those of virtio_blk and isofs, which
 * read the disk with all modules, are among them.
 */
const names = [
  ...['virtio_mmio', 'virtio_blk', 'isofs', 'virtio_rng', 'vmw_vsock_virtio_transport'],
  ...[
    '8021q',
    'bonding',
    'bridge',
    'br_netfilter',
    'dummy',
    'geneve',
    'ifb',
    'ip6_gre',
    'ip6_tunnel',
    'ip_gre',
  ],
  ...['ipip', 'ipvlan', 'macvlan', 'sit', 'tun', 'veth', 'vrf', 'vxlan', 'wireguard'],
  ...['nf_tables', 'nft_chain_nat', 'nft_ct', 'nft_fib_inet', 'nft_hash', 'nft_limit', 'nft_log', 'nft_masq'],
  ...['nft_meta_bridge', 'nft_nat', 'nft_numgen', 'nft_quota', 'nft_redir', 'nft_reject_inet', 'nft_socket'],
  ...['nft_tproxy', 'nf_log_syslog', 'nf_conntrack_netlink', 'crc32c_generic'],
  ...['act_mirred', 'cls_flower', 'cls_u32', 'sch_htb', 'sch_ingress', 'sch_netem', 'sch_tbf'],
]

/**
 * The default image as it was before guests had all modules: these few are in the initramfs, and there is no disk.
 * `directory` is for its files.
 */
export async function fewModules(
  directory: string,
  { cacheDir }: { readonly cacheDir: string },
): Promise<GuestImage> {
  const [{ buildImage, findKernel, Inputs }, { ModuleTree }, { BOOT_MODULES }, { moduleLists }] =
    await Promise.all([
      builtFile<typeof import('../../src/image/index.ts')>('image/index.js'),
      builtFile<typeof import('../../src/image/kernel/modules.ts')>('image/kernel/modules.js'),
      builtFile<typeof import('../../src/image/kernel/module-lists.ts')>('image/kernel/module-lists.js'),
      builtFile<typeof import('../../src/image/kernel/depmod.ts')>('image/kernel/depmod.js'),
    ])
  const inputs = new Inputs()
  const searchDirs = [join(cacheDir, 'fetched/root'), '/']
  const { image, version, modulesDir } = await findKernel({ searchDirs, inputs })
  if (modulesDir === undefined) throw new Error(`the kernel ${image} has no modules`)
  const tree = await ModuleTree.open(modulesDir, inputs)
  const modules = await tree.resolve([...BOOT_MODULES, ...names], { optional: true })

  // Without isofs in its lists a kernel gets no disk.
  const listed = join(directory, 'lib/modules', version)
  mkdirSync(listed, { recursive: true })
  symlinkSync(join(modulesDir, 'kernel'), join(listed, 'kernel'))
  const boot = await tree.resolve(BOOT_MODULES)
  writeFileSync(join(listed, 'modules.order'), boot.map(({ file }) => `${file}\n`).join(''))
  writeFileSync(join(listed, 'modules.builtin'), tree.builtin.map(path => `${path}\n`).join(''))

  const guestDir = join(directory, 'guest')
  cpSync(resolve('guest'), guestDir, { recursive: true })
  const inGuest = [
    ...modules.map(({ file, bytes }) => ({ path: file, content: bytes })),
    ...moduleLists(modules, tree.builtin).flatMap(list => (list.kind === 'file' ? [list] : [])),
  ]
  for (const { path, content } of inGuest) {
    const file = join(guestDir, 'lib/modules', version, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
  }
  const made = await buildImage({ cacheDir, kernel: image, modules: listed, guestDir })
  if (made.modulesDisk) throw new Error('the image with few modules has a disk')
  return made
}
