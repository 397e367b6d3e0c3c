import { describe, expect, test } from 'vitest'
import { bySemanticVersion, checkRelease } from '../../../scripts/release/check.js'
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
    [{ repository: undefined }, 'package.json has no repository.url, which provenance needs.'],
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
