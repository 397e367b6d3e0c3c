import { verbs } from '../api/index.ts'
import { messageOf, nodeName, systemClock } from '../base/index.ts'
import {
  type CommandSpec,
  CommandStreams,
  FrameSplitter,
  frameBytes,
  ownerLimits,
  type RunningCommand,
  SocketPort,
  spawnCommand,
} from '../stream/index.ts'
import { upgrade } from './console.ts'
import type { Target } from './watched.ts'

export interface SpawnSpec extends CommandSpec {
  /** Aborts the start, and later detaches the command. */
  readonly signal?: AbortSignal
}

/** Runs a command on a node over a connection of its own. */
export async function spawnThere(
  target: Target,
  node: string,
  { signal, ...spec }: SpawnSpec,
): Promise<RunningCommand> {
  const port = new SocketPort((await upgrade(target, verbs.spawn, { node })).socket)
  const name = /^\d+$/.test(node) ? nodeName(Number(node)) : node
  const streams = new CommandStreams({ name, send: frame => port.send(frameBytes(frame)) })
  const frames = new FrameSplitter(ownerLimits)
  port.receive({
    data(bytes) {
      try {
        for (const frame of frames.push(bytes)) streams.take(frame)
      } catch (failure) {
        streams.end(`its owner's answer cannot be read: ${messageOf(failure)}`)
      }
    },
    end: () => streams.end('its cluster was stopped, or its owner has died'),
  })
  try {
    const command = await spawnCommand(streams, spec, { clock: systemClock, ...(signal && { signal }) })
    void command.exit.catch(() => {}).then(() => port.close())
    return command
  } catch (failure) {
    await port.close()
    throw failure
  }
}
