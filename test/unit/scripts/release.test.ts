import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { bySemanticVersion, checkRelease } from '../../../scripts/release/check.js'
import { packWithRepository, repositoryOf } from '../../../scripts/release/repository.js'
import { describeSizes } from '../../../scripts/release/sizes.js'

const good = {
  version: '1.2.0',
  codeVersion: '1.2.0',
  changelog:
    '# Changelog\n\n## 1.2.0 (2026-11-29)\n\n- What users get.\n\n## 1.1.0 (2026-01-01)\n\n- More.\n',
  tags: ['v1.1.0', 'v1.2.0-rc.1', 'vendor'],
  uncommitted: '',
  repository: 'git+https://example.org/xcluster.git',
}

describe('a release', () => {
  test('is fit when version, code, changelog and tags agree', () => {
    expect(checkRelease(good)).toEqual([])
    expect(checkRelease({ ...good, tags: [] })).toEqual([])
  })

  test.each([
    [{ version: '1.2', codeVersion: '1.2' }, "package.json: '1.2' is not a semantic version."],
    [{ codeVersion: '1.1.0' }, 'src/base/version.ts has 1.1.0, package.json 1.2.0.'],
    [{ uncommitted: ' M README.md\n' }, 'There are changes that are not committed.'],
    [
      { repository: undefined },
      'No repository is known, which provenance needs: give it with --repository https://HOST/PATH.',
    ],
    [
      { repository: '' },
      'The repository is not the address of one, which provenance needs: give it with --repository https://HOST/PATH.',
    ],
    [{ tags: ['v1.2.0'] }, '1.2.0 does not come after 1.2.0, which has been released.'],
    [{ tags: ['v1.10.0', 'v1.9.0'] }, '1.2.0 does not come after 1.10.0, which has been released.'],
    [
      { changelog: '# Changelog\n\n## 1.2.0 (not yet released)\n\n- What users get.\n' },
      "CHANGELOG.md begins with '## 1.2.0 (not yet released)', not with '## 1.2.0 (YYYY-MM-DD)'.",
    ],
    [
      { changelog: '# Changelog\n\n## 1.2.0 (2026-11-29)\n\n## 1.1.0 (2026-01-01)\n\n- More.\n' },
      'CHANGELOG.md says nothing about 1.2.0.',
    ],
  ])('is refused with the reason: %j', (change, sentence) => {
    expect(checkRelease({ ...good, ...change })).toContain(sentence)
  })

  test('comes after those that semver.org orders before it', () => {
    const ordered = ['1.0.0-alpha', '1.0.0-alpha.1', '1.0.0-alpha.beta', '1.0.0-beta', '1.0.0-beta.2']
    const all = [...ordered, '1.0.0-beta.11', '1.0.0-rc.1', '1.0.0', '1.0.1', '1.2.0', '1.10.0', '2.0.0']
    expect([...all].reverse().sort(bySemanticVersion)).toEqual(all)
  })

  test('says how large it is, by parts', () => {
    const files = [
      { path: 'README.md', size: 4000 },
      { path: 'dist/library/index.js', size: 900_000 },
      { path: 'dist/index.d.ts', size: 2000 },
      { path: 'prebuilds/linux-x64/xcluster.node', size: 40_000 },
    ]
    expect(describeSizes({ filename: 'x.tgz', size: 300_000, unpackedSize: 946_000, files })).toEqual([
      'x.tgz: 300 kB, unpacked 946 kB, 4 files',
      '  dist/library: 900 kB',
      '  prebuilds/linux-x64: 40 kB',
      '  pages: 4 kB',
      '  types: 2 kB',
    ])
  })
})

test('the repository is that of the releaser, the CI or package.json, in this order', () => {
  const github = { GITHUB_SERVER_URL: 'https://example.org', GITHUB_REPOSITORY: 'someone/xcluster' }
  const own = 'git+https://example.org/own.git'
  expect(repositoryOf([], {}, undefined)).toBe(undefined)
  expect(repositoryOf([], {}, own)).toBe(own)
  expect(repositoryOf([], github, own)).toBe('git+https://example.org/someone/xcluster.git')
  expect(repositoryOf([], { CI_PROJECT_URL: 'https://example.org/a/b' }, undefined)).toBe(
    'git+https://example.org/a/b.git',
  )
  const said = ['--repository', 'https://example.org/fork.git', '--publish']
  expect(repositoryOf(said, github, own)).toBe('git+https://example.org/fork.git')
  for (const wrong of ['', 'fork', 'file:///tmp/x', 'https://example.org'])
    expect(repositoryOf(['--repository', wrong], {}, own)).toBe('')
})

test('the packed package.json gets the repository, and nothing else in it changes', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'release-'))
  const about = { name: 'packed', version: '1.0.0', files: ['a'], bin: { a: 'a/run.js' } }
  mkdirSync(join(folder, 'a'))
  writeFileSync(join(folder, 'package.json'), JSON.stringify(about))
  writeFileSync(join(folder, 'a/run.js'), '#!/usr/bin/env node\n', { mode: 0o755 })
  execFileSync('npm', ['pack', '--pack-destination', folder], { cwd: folder, stdio: 'pipe' })
  const url = 'git+https://example.org/fork.git'
  const packed = await packWithRepository(join(folder, 'packed-1.0.0.tgz'), url)
  expect(packed.files.map(({ path }) => path)).toEqual(['a/run.js', 'package.json'])
  execFileSync('tar', ['-xzf', packed.filename], { cwd: folder })
  expect(JSON.parse(readFileSync(join(folder, 'package/package.json'), 'utf8'))).toEqual({
    ...about,
    repository: { type: 'git', url },
  })
  expect(statSync(join(folder, 'package/a/run.js')).mode & 0o111).toBe(0o111)
  rmSync(folder, { recursive: true })
}, 60_000)
