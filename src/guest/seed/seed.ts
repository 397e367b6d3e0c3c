import { writeIso } from '../../image/index.ts'
import type { NodePlan } from '../../plan/index.ts'
import { kernelArgs } from '../kernel-args.ts'
import { type NetworkConfig, networkConfig } from './network.ts'

/** What a seed has beside the node's plan. */
export interface SeedOptions {
  /** Public SSH keys for the image's usual user and for root, a line each. */
  readonly keys: readonly string[]
  /** Files of the user, which take the place of those made here: `user-data` and others. */
  readonly own: Readonly<Record<string, Uint8Array>>
  /** The program xcluster-guest, for a guest that a boot loader of its own starts. Absent: the guest has it. */
  readonly program?: Uint8Array | undefined
  readonly dns: boolean
  readonly domain: string
  /** Hex digits that no other start of the node has: cloud-init works once for each. */
  readonly instance: string
}

type SeededNode = Pick<NodePlan, 'name' | 'nets' | 'setup' | 'append'>

/**
 * The disk from which cloud-init configures a node (data source NoCloud): an ISO 9660 image with the label `cidata`.
 * Throws EncodeError for a file that an image cannot have.
 */
export function writeSeed(node: SeededNode, options: SeedOptions): Uint8Array {
  const files = Object.entries(seedFiles(node, options))
  const entries = files.map(
    ([path, content]) =>
      ({ path, kind: 'file', mode: path === programName ? 0o755 : 0o644, content }) as const,
  )
  return writeIso(entries, { label: 'cidata' })
}

const programName = 'xcluster-guest'

/** The files of a seed. They are JSON, which is YAML too. */
export function seedFiles(node: SeededNode, options: SeedOptions): Record<string, Uint8Array> {
  const { keys, own, program, instance } = options
  const metaData = {
    'instance-id': `${node.name}-${instance}`,
    'local-hostname': node.name,
    ...(keys.length > 0 && { 'public-keys': keys }),
  }
  const made: Record<string, Uint8Array> = {
    'meta-data': json(metaData),
    'user-data': text('#cloud-config\n{}\n'),
    'vendor-data': text(
      `#cloud-config-archive\n${JSON.stringify(vendorData(program !== undefined), null, 1)}\n`,
    ),
    'network-config': json(networkOf(node, options)),
  }
  return { ...made, ...(program && { [programName]: program }), ...own }
}

/** Of a guest that boots a kernel of ours, xcluster-guest sets up the network. */
function networkOf(node: SeededNode, { program, dns, domain }: SeedOptions): NetworkConfig {
  if (!program) return { network: { config: 'disabled' } }
  return networkConfig(node, { mtus: kernelArgs(node.append).mtus, dns, domain })
}

/** The user's own user-data has priority over this. */
function vendorData(hasProgram: boolean): object[] {
  const config = { disable_root: false }
  const settings = { type: 'text/cloud-config', content: `#cloud-config\n${JSON.stringify(config)}\n` }
  return hasProgram ? [settings, { type: 'text/cloud-boothook', content: startProgram }] : [settings]
}

/**
 * Runs at every boot, when cloud-init has set up the network. /run of Debian does not let programs be executed. The
 * program gets its own copy, because the seed may be mounted elsewhere.
 */
const startProgram = `#!/bin/sh
# Starts xcluster-guest, which is on the seed: for xc exec, put, get and the routes that cloud-init cannot have.
program=/sbin/${programName}
for disk in /sys/block/vd*; do
	read -r serial 2>/dev/null <$disk/serial || true
	[ "$serial" = xcluster-seed ] && seed=/dev/\${disk##*/}
done
for path in /sys/class/virtio-ports/*; do
	read -r name 2>/dev/null <$path/name || true
	[ "$name" = org.xcluster.stream.0 ] && port=/dev/\${path##*/}
done
[ -n "$seed" ] && [ -n "$port" ] || exit 0
place=$(mktemp -d)
mount -t iso9660 -o ro $seed $place || exit 0
cp $place/${programName} $program.new && chmod 755 $program.new && mv $program.new $program
umount $place
rmdir $place
restorecon $program 2>/dev/null
mkdir -p /etc/xcluster
cat >/etc/xcluster/rc <<'END'
#!/bin/sh
for script in /etc/init.d/*.rc; do
	[ ! -x $script ] || $script start
done
END
chmod 755 /etc/xcluster/rc
if command -v systemd-run >/dev/null; then
	# A service usually waits for others, which wait for cloud-init.
	systemd-run --quiet --no-block --unit=${programName} -p DefaultDependencies=no \\
		-p Restart=always -p RestartSec=1 $program $port
else
	setsid sh -c "while :; do $program $port; sleep 1; done" </dev/null >/dev/null 2>&1 &
fi
`

const encoder = new TextEncoder()
const text = (value: string): Uint8Array => encoder.encode(value)
const json = (value: object): Uint8Array => text(`${JSON.stringify(value, null, 1)}\n`)
