import { readFile } from 'node:fs/promises'
import { reasonOf } from '../../base/index.ts'
import { parseYaml } from '../document.ts'
import { badTopology } from '../errors.ts'
import { fileText } from '../print.ts'
import { labOf } from '../read.ts'
import { fromContainerlab, legendOf } from './containerlab.ts'

/**
 * The text of a topology file that has the nodes and links of a containerlab topology, and what differs, in words. Throws
 * BAD_TOPOLOGY.
 */
export async function convertFile(
  path: string,
): Promise<{ readonly text: string; readonly remarks: readonly string[] }> {
  const converted = fromContainerlab(parseYaml(path, await contentOf(path)))
  const text = fileText(converted.file, legendOf(converted))
  labOf(parseYaml(path, text)) // it is refused here if it could not start
  return { text, remarks: converted.remarks }
}

async function contentOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (failure) {
    throw badTopology(path, reasonOf(failure))
  }
}
