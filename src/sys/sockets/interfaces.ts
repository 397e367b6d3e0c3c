import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'
import { errnoText } from '../../base/index.ts'
import { refused } from '../errors.ts'

/**
 * The addresses of each network interface, in this process's network namespace. Throws SysError. Node's own error has a
 * positive errno and no words: "Unknown system error 24" for EMFILE (Node 20.20 and 24.22, src/node_os.cc).
 */
export function interfaceAddresses(): Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>> {
  try {
    return networkInterfaces()
  } catch (thrown) {
    const errno = Math.abs((thrown as { errno?: number }).errno ?? 0)
    throw refused(
      'list',
      'network interfaces',
      Object.assign(new Error(errnoText(errno), { cause: thrown }), { errno, syscall: 'getifaddrs' }),
    )
  }
}
