#!/usr/bin/env node
const built = new URL('../dist/cli/main.js', import.meta.url)
try {
  const { main } = await import(built.href)
  await main()
} catch (failure) {
  if (failure?.code !== 'ERR_MODULE_NOT_FOUND' || failure.url !== built.href) throw failure
  console.error('xc: it has not been built. Run: npm run build')
  process.exitCode = 4
}
