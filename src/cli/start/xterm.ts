import type { Status } from '../../api/index.ts'
import type { Role } from '../../base/index.ts'
import type { Session } from '../session.ts'

/** The backgrounds of the original xcluster's windows. */
const backgrounds: Readonly<Record<Role, string>> = { vm: '#040', router: '#400', tester: '#004' }

/** Opens a window with the console of each node. */
export type OpenWindows = (status: Status) => void

/** Finds xterm(1), before anything is started. Throws XTERM_MISSING. */
export async function windowsOf({ env }: Session): Promise<OpenWindows> {
  const { findXterm, openXterm } = await import('../../host/index.ts')
  const file = findXterm(env)
  return ({ name, nodes }) => {
    for (const node of nodes) {
      const command = [process.execPath, process.argv[1]!, 'vm', String(node.id), '--name', name]
      openXterm(file, { title: node.name, background: backgrounds[node.role], command }, env)
    }
  }
}
