import { readdir } from 'node:fs/promises'
import { connect } from 'node:net'
import { clusterPlaces, namePattern, type Places } from '../base/index.ts'

/** The names that have a runtime directory, sorted. Their owners may have ended. */
export async function clusterNames(places: Places): Promise<string[]> {
  const entries = await readdir(places.runtime, { withFileTypes: true }).catch(() => [])
  const names = entries.filter(entry => entry.isDirectory()).map(entry => entry.name)
  return names.filter(name => namePattern.test(name)).sort()
}

/** The names among them whose owners listen. */
export async function runningClusters(places: Places): Promise<string[]> {
  const names = await clusterNames(places)
  const answering = await Promise.all(names.map(name => answers(places, name)))
  return names.filter((_, index) => answering[index])
}

/** True when a process listens on the cluster's socket. */
export function answers(places: Places, name: string): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(clusterPlaces(places, name).socket)
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}
