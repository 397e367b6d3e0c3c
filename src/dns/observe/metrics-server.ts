import { isSystemError, messageOf, settingText } from '../../base/index.ts'
import { DnsError } from '../errors.ts'
import { placeText } from '../server/address.ts'

export interface MetricsServer extends AsyncDisposable {
  readonly port: number
  close(): Promise<void>
}

/** Serves `GET /metrics`, with the text that `text` returns at the time. */
export async function serveMetrics(
  place: { readonly address: string; readonly port: number },
  text: () => string | Promise<string>,
): Promise<MetricsServer> {
  // Few forwarders serve metrics, and node:http takes a tenth of a start.
  const { createServer } = await import('node:http')
  const server = createServer(async (request, response) => {
    if (request.method !== 'GET' || request.url?.split('?')[0] !== '/metrics') {
      response.writeHead(404).end()
      return
    }
    try {
      const body = await text()
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(body)
    } catch {
      response.writeHead(500).end()
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', failure => reject(explained(failure, place)))
    server.listen(place.port, place.address, resolve)
  })
  const address = server.address()
  const close = () =>
    new Promise<void>(resolve => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  const port = typeof address === 'object' && address ? address.port : place.port
  return { port, close, [Symbol.asyncDispose]: close }
}

function explained(cause: Error, place: { address: string; port: number }): Error {
  const taken = isSystemError(cause, 'EADDRINUSE')
  const reason = taken ? 'the port is taken' : messageOf(cause)
  const target = placeText(place)
  const remedy = `Choose another port (${settingText('metrics')})`
  return new DnsError({ code: 'DNS_METRICS_FAILED', op: 'serve metrics at', target, reason, remedy, cause })
}
