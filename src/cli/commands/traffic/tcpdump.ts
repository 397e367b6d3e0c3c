import { constants, copyFile, rm } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import type { Command } from 'commander'
import { type CaptureStatus, verbs } from '../../../api/index.ts'
import { reasonOf } from '../../../base/index.ts'
import { CliError } from '../../errors.ts'
import { nameOption, timeoutOption } from '../../options/shared.ts'
import { print, printJson, tell } from '../../output.ts'
import { type CommonOptions, clientOf, type Session } from '../../session.ts'

interface CaptureOptions extends CommonOptions {
  readonly start?: boolean
  readonly get?: boolean
  readonly dir: string
}

export function configure(command: Command, session: Session): void {
  const { node, interfaces } = verbs.capture.asks
  command
    .argument('<node>', node.doc)
    .argument('[interface...]', interfaces.doc)
    .option('--start', 'start captures')
    .option('--get', 'end captures and fetch their files')
    .option('--dir <directory>', 'where --get puts the files (default: the working directory)', '.')
    .option(...nameOption)
    .option('--json', 'print one JSON value (docs/json.md)')
    .option(...timeoutOption)
    .addHelpText('after', `\n${verbs.capture.help}`)
    .action(async (asked: string, devs: string[], options: CaptureOptions) => {
      if (Boolean(options.start) === Boolean(options.get)) throw oneOf()
      const question = {
        node: asked,
        ...(devs.length > 0 && { interfaces: devs }),
        end: Boolean(options.get),
      }
      const { captures } = await clientOf(session, options).call(verbs.capture, question)
      const here = options.get
        ? await Promise.all(captures.map(each => fetched(each, options.dir)))
        : captures
      if (options.json) return printJson({ v: 1, captures: here })
      for (const each of here) said(each, options)
    })
}

/** Moves the file from the owner's directory to the user's. */
async function fetched(capture: CaptureStatus, directory: string): Promise<CaptureStatus> {
  const file = resolve(directory, basename(capture.file))
  try {
    await copyFile(capture.file, file, constants.COPYFILE_FICLONE)
  } catch (cause) {
    const remedy = `It is still at ${capture.file}`
    const about = { op: 'fetch capture to', target: file, reason: reasonOf(cause), remedy, cause }
    throw new CliError({ code: 'CAPTURE_NOT_FETCHED', ...about })
  }
  await rm(capture.file)
  return { ...capture, file }
}

function said({ node, dev, file, frames, bytes, lost }: CaptureStatus, { get }: CaptureOptions): void {
  if (!get) tell(`Capturing ${dev} of ${node}.`)
  else tell(`${node} ${dev}: ${frames} frames, ${bytes} bytes${lost > 0 ? `; ${lost} frames were lost` : ''}`)
  if (get) print(`${file}\n`)
}

function oneOf(): CliError {
  return new CliError({
    code: 'BAD_USAGE',
    kind: 'usage',
    target: 'tcpdump',
    reason: 'it takes one of --start and --get',
    remedy: 'xc tcpdump --start 1 eth1, and later: xc tcpdump --get 1 eth1',
  })
}
