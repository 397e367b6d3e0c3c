import { request as httpRequest } from 'node:http'
import type { Socket } from 'node:net'
import { upgradeProtocol, verbs } from '../api/index.ts'
import { requestOf } from './calls.ts'
import { ClientError } from './errors.ts'
import { checkVersion, errorOf, explained, type Target } from './request.ts'

/** Connects to a node's console. Reading gives the guest's output, writing is the guest's input. */
export function openConsole(target: Target, node: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      socketPath: target.socket,
      path: requestOf(verbs.console, { node }).path,
      headers: { connection: 'Upgrade', upgrade: upgradeProtocol(verbs.console) },
      agent: false,
    })
    request.on('upgrade', (answer, socket, head) => {
      try {
        checkVersion(target, answer)
        if (head.length > 0) socket.unshift(head)
        resolve(socket as Socket)
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
    request.on('error', failure => reject(explained(target, failure)))
    request.end()
  })
}

function refused(target: Target, text: string): ClientError {
  return new ClientError({ code: 'OWNER_ANSWER', op: 'open console in', target: target.name, reason: text })
}
