import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { type ConsoleRole, consoleHeader, upgradeProtocol, type Verb, verbs } from '../api/index.ts'
import { printable } from '../base/index.ts'
import { requestOf } from './calls.ts'
import { ClientError } from './errors.ts'
import { checkVersion, errorOf, explained } from './request.ts'
import { type Target, WatchedExchange } from './watched.ts'

const writer: ConsoleRole = 'writer'

export interface ConsoleQuestion {
  /** Only views. */
  readonly view?: boolean
  /** Takes over from the terminal that may type. */
  readonly take?: boolean
}

export interface ConsoleConnection {
  /** Reading gives the guest's output, writing is the guest's input. */
  readonly socket: Socket
  /** False for a viewer: what it writes is ignored. A writer becomes one when another terminal takes over. */
  readonly writes: boolean
}

export interface Upgraded {
  readonly socket: Socket
  readonly answer: IncomingMessage
}

/** Connects to a node's console. */
export async function openConsole(
  target: Target,
  asked: ConsoleQuestion & { readonly node: string },
): Promise<ConsoleConnection> {
  const { socket, answer } = await upgrade(target, verbs.console, asked)
  return { socket, writes: answer.headers[consoleHeader] === writer }
}

/** The connection of a verb that answers with an upgrade. */
export async function upgrade(target: Target, verb: Verb, asked: object): Promise<Upgraded> {
  const request = requestFor(target, verb, asked)
  using watched = new WatchedExchange(target, request)
  return await upgraded(request, { target, watched })
}

function requestFor(target: Target, verb: Verb, asked: object): ClientRequest {
  const request = httpRequest({
    socketPath: target.socket,
    path: requestOf(verb, asked).path,
    headers: { connection: 'Upgrade', upgrade: upgradeProtocol(verb) },
    agent: false,
  })
  request.end()
  return request
}

function upgraded(
  request: ClientRequest,
  { target, watched }: { readonly target: Target; readonly watched: WatchedExchange },
): Promise<Upgraded> {
  return new Promise((resolve, reject) => {
    request.on('upgrade', (answer, socket, head) => {
      try {
        checkVersion(target, answer)
        if (head.length > 0) socket.unshift(head)
        resolve({ socket: socket as Socket, answer })
      } catch (failure) {
        socket.destroy()
        reject(failure)
      }
    })
    request.on('response', answer => {
      answer.setEncoding('utf8')
      let text = ''
      answer.on('data', (piece: string) => {
        text += piece
      })
      answer.on('end', () => reject(errorOf(text) ?? refused(target, text)))
    })
    request.on('error', failure => reject(watched.reason ?? explained(target, failure)))
  })
}

function refused(target: Target, text: string): ClientError {
  return new ClientError({
    code: 'OWNER_ANSWER',
    op: 'open a connection in',
    target: target.name,
    reason: printable(text, 500),
  })
}
