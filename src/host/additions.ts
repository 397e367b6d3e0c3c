import { join } from 'node:path'
import { inTurns, settingText } from '../base/index.ts'
import {
  type Additions,
  findOverlay,
  InstalledPackages,
  merge,
  type OverlaySource,
  readCdrom,
  readOverlay,
  recallPrograms,
  type Source,
  sourceOf,
} from '../overlay/index.ts'
import { type Environment, type NodePlan, type Settings, settingsFor, topologyName } from '../plan/index.ts'
import { packageRoot } from '../sys/index.ts'
import { HostError } from './errors.ts'

export interface AdditionsOptions {
  /** The environment of the overlays' programs. */
  readonly env: Environment
  /** The directory that relative paths start from. Default: that of this process. */
  readonly from?: string
  /** `$XDG_CACHE_HOME/xcluster`: has the packages that were fetched. */
  readonly cacheDir: string
  readonly notice: (text: string) => void
}

/** How many overlays are made at a time. */
const atOnce = 4

/**
 * What each node gets on top of the image: overlays and programs. Overlays are made once; programs once for each set
 * that some node asks for.
 */
export class NodeAdditions {
  readonly #settings: Settings
  readonly #options: AdditionsOptions
  readonly #made = new Map<string, Promise<Additions | undefined>>()
  readonly #ready = new Map<string, Additions>()
  readonly #sources: readonly OverlaySource[]
  #overlays: Promise<Source[]> | undefined

  constructor(settings: Settings, options: AdditionsOptions) {
    this.#settings = settings
    this.#options = options
    this.#sources = overlaysOf(settings, options.from)
  }

  /**
   * Makes what these nodes get. Throws OVERLAY_MISSING, OVERLAY_UNUSABLE, NO_SUCH_PROGRAM, and GUEST_TOO_SMALL when a
   * node has too little memory for it.
   */
  async prepare(nodes: readonly NodePlan[], signal?: AbortSignal): Promise<void> {
    this.#overlays ??= readOverlays(this.#sources, this.#settings, { ...this.#options, signal })
    const overlays = await this.#overlays
    for (const node of nodes) {
      const programs = this.#programsOf(node)
      const key = programs.join(',')
      const making = this.#made.get(key) ?? additionsWith(programs, overlays, this.#options)
      this.#made.set(key, making)
      const additions = await making
      if (!additions) continue
      requireRoom(node, additions)
      this.#ready.set(key, additions)
    }
  }

  /** What has been made for the node. Undefined: nothing. Nodes that get the same have the same value. */
  of(node: Pick<NodePlan, 'id'>): Additions | undefined {
    return this.#ready.get(this.#programsOf(node).join(','))
  }

  #programsOf({ id }: Pick<NodePlan, 'id'>): string[] {
    const settings = this.#settings
    const ofOverlays = this.#sources.flatMap(({ packages }) => packages)
    const own = settingsFor(settings, 'with', id).flat()
    return [...new Set([...settings.packages, ...ofOverlays, ...own])]
  }
}

/** The overlays of these settings, those of every cluster first. Throws OVERLAY_MISSING. */
function overlaysOf({ xovls, ovl, ovlPath }: Settings, from = process.cwd()): OverlaySource[] {
  return [...xovls, ...ovl].map(name => findOverlay(name, { paths: ovlPath, from }))
}

async function readOverlays(
  sources: readonly OverlaySource[],
  settings: Settings,
  { env, signal }: AdditionsOptions & { readonly signal?: AbortSignal | undefined },
): Promise<Source[]> {
  const given = { XCLUSTER: `${packageRoot()}bin/xc.js`, ...env, TOPOLOGY: topologyName(settings.topology) }
  const disk = settings.cdrom === '' ? [] : await readCdrom(settings.cdrom)
  const read: Source[] = new Array(sources.length)
  const one = async (source: OverlaySource) => {
    const content = await readOverlay(source, { env: given, signal })
    read[sources.indexOf(source)] = sourceOf({ name: source.name, ...content })
  }
  await inTurns(sources, one, { limit: atOnce })
  return [...disk.map(sourceOf), ...read]
}

async function additionsWith(
  programs: readonly string[],
  overlays: readonly Source[],
  { notice, cacheDir }: AdditionsOptions,
): Promise<Additions | undefined> {
  const recall = { roots: guestRoots(cacheDir), cacheDir: join(cacheDir, 'programs') }
  const sources = [...(programs.length > 0 ? [await recallPrograms(programs, recall)] : []), ...overlays]
  if (sources.length === 0) return undefined
  const { additions, remarks } = merge(sources)
  for (const remark of new Set(remarks)) notice(remark)
  return additions
}

/** The packages that nodes are to get, with those of their overlays, and that are neither installed nor fetched. */
export function lackingPackages(settings: Settings, cacheDir: string): string[] {
  const names = [...settings.packages, ...overlaysOf(settings).flatMap(source => source.packages)]
  const packages = guestRoots(cacheDir).map(root => new InstalledPackages(root))
  return names.filter(name => !packages.some(each => each.has(name)))
}

/** Where programs for guests are looked for: on this machine, and in what was fetched. */
export function guestRoots(cacheDir: string): string[] {
  return ['/', join(cacheDir, 'packages/root')]
}

/** MiB of a guest that its kernel, the image and its first processes take. Measured: 128 MiB leave 56 available. */
const taken = 74

function requireRoom({ name, memMiB }: NodePlan, additions: Additions): void {
  const [needed, room] = [Math.ceil(additions.bytes / 2 ** 20), Math.floor(memMiB * 0.984) - taken]
  if (needed <= room) return
  throw new HostError({
    code: 'GUEST_TOO_SMALL',
    kind: 'usage',
    op: 'start',
    target: name,
    reason: `its overlays and programs take ${needed} MiB, and a guest with ${memMiB} MiB has room for ${Math.max(0, room)}`,
    remedy: `Give it more: ${settingText('mem', `${Math.ceil((needed + taken) / 0.984 / 16) * 16}`)}`,
  })
}
