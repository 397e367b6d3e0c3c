import { connectStream } from '../sys/index.ts'
import { type AgentClient, connectAgent } from './agent.ts'
import { connectQmp, type QmpClient } from './client.ts'
import type { ConnectOptions } from './session.ts'

/** Connects to the monitor of `-qmp unix:PATH,server=on,wait=off`. */
export async function openQmp(path: string, options?: ConnectOptions): Promise<QmpClient> {
  return connectQmp(await connectStream(path), { peer: path, ...options })
}

/** Connects to the guest agent behind `-chardev socket,path=PATH,server=on,wait=off`. */
export async function openAgent(path: string, options?: ConnectOptions): Promise<AgentClient> {
  return connectAgent(await connectStream(path), { peer: path, ...options })
}
