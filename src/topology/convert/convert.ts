import { dirname, isAbsolute, normalize } from 'node:path'
import { parseYaml, textOf } from '../document.ts'
import { fileText } from '../print.ts'
import { labOf } from '../read.ts'
import type { TopologyFile } from '../schema.ts'
import { fromContainerlab, legendOf } from './containerlab.ts'
import { type GuestFiles, guestFiles, partsOf } from './guest-files.ts'

export interface ConvertOptions {
  /** The directory that `overlay` of the result will be made in. */
  readonly overlay?: string | undefined
}

/** A topology file that was made of another. */
export interface ConvertedFile {
  readonly text: string
  /** What differs, in words. */
  readonly remarks: readonly string[]
  /** What nodes have beside their links, for the overlay that `text` names. */
  readonly overlay: GuestFiles | undefined
  /** What such an overlay would bring, when none was asked for: `exec`, `binds`. */
  readonly left: readonly string[]
}

/** The text of a topology file that has the nodes and links of a containerlab topology. Throws BAD_TOPOLOGY. */
export async function convertFile(path: string, { overlay }: ConvertOptions = {}): Promise<ConvertedFile> {
  const { given, ...converted } = fromContainerlab(path, await textOf(path))
  const parts = [...new Set(given.flatMap(partsOf))]
  const files = overlay !== undefined && parts.length > 0 ? guestFiles(given, dirname(path)) : undefined
  const text = fileText(files ? withOverlay(converted.file, overlay!) : converted.file, legendOf(converted))
  labOf(parseYaml(`${path}, converted`, text)) // it is refused here if it could not start
  return {
    text,
    remarks: [...converted.remarks, ...(files?.remarks ?? [])],
    overlay: files,
    left: overlay === undefined ? parts : [],
  }
}

/** The topology file is taken to be in the current directory. */
function withOverlay(file: TopologyFile, overlay: string): TopologyFile {
  return {
    ...file,
    settings: { ...file.settings, ovl: isAbsolute(overlay) ? overlay : `./${normalize(overlay)}` },
  }
}
