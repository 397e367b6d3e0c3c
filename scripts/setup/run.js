// @ts-check
import { spawn } from 'node:child_process'
import { SetupFailure } from './failure.js'
import { inProject, writeLog } from './project.js'

/**
 * Runs a command without a terminal, and resolves when it succeeded. Its output goes to the set-up's log.
 * When it fails, the end of the output is shown with `remedy`.
 * @param {string} file
 * @param {readonly string[]} args
 * @param {{ remedy: string, env?: NodeJS.ProcessEnv, onLine?: (line: string) => void }} options
 * @returns {Promise<void>}
 */
export function run(file, args, { remedy, env, onLine }) {
  const shown = [file === process.execPath ? 'node' : file, ...args].join(' ').replaceAll(inProject(), '')
  writeLog(`$ ${shown}\n`)
  return new Promise((resolve, reject) => {
    /** @type {string[]} */
    const tail = []
    let rest = ''
    const take = (/** @type {string} */ text) => {
      writeLog(text)
      const lines = (rest + text).split(/\r?\n/)
      rest = lines.pop() ?? ''
      for (const line of lines) if (line.trim()) remember(line)
    }
    const remember = (/** @type {string} */ line) => {
      tail.push(line)
      if (tail.length > 20) tail.shift()
      onLine?.(line)
    }
    const child = spawn(file, args, {
      cwd: inProject(),
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    child.stdout.setEncoding('utf8').on('data', take)
    child.stderr.setEncoding('utf8').on('data', take)
    child.on('error', error =>
      reject(new SetupFailure(`${shown} could not be started: ${error.message}. ${remedy}`)),
    )
    child.on('close', (code, signal) => {
      if (code === 0) return resolve()
      if (rest.trim()) remember(rest)
      const how = signal ? `was ended by ${signal}` : `ended with status ${code}`
      reject(new SetupFailure(`\`${shown}\` ${how}. ${remedy}`, { tail }))
    })
  })
}
