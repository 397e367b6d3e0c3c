import { readFiles, readText, type SourceFile } from './project.ts'

/** Files whose prose is checked; a folder stands for every file below it that has prose. */
export const prosePaths = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'docs',
  'examples',
  'src',
  'native',
  'guest',
  'test',
  'bench',
  'scripts',
  'bin',
]

/** Files whose identifiers are checked. */
export const codePaths = [
  'src',
  'native',
  'guest',
  'test',
  'bench',
  'scripts',
  'bin',
  'examples',
  'docs',
  'README.md',
]

const readable =
  /(\.([cm]?[jt]s|[ch]|sh|rc|md)|^guest\/init|^guest\/s?bin\/[^/]+|^guest\/etc\/xcluster\/[^/]+)$/

/** The files that a list of paths stands for. */
export function filesOf(paths: readonly string[]): SourceFile[] {
  return paths.flatMap(path =>
    readable.test(path) ? [{ path, text: readText(path) }] : readFiles([path], readable),
  )
}

/** Phrases that the project does not use, each with what to write. */
const phrases: readonly (readonly [RegExp, string])[] = [
  [/\bwho is\b/i, 'a thing is "it", a reader is "you"'],
  [/\bwhoever\b/i, 'name the user, the process or the caller'],
  [/\bnobody\b/i, 'say what does not happen'],
  [/\bsomebody\b/i, 'name the user, the process or the caller'],
  [/\bto be had\b/i, 'write "available"'],
  [/(?<!\bthere )\bis no\b(?! (longer|more|less)\b)/i, 'write "is not a"'],
  [/\ball the same\b/i, 'write "still"'],
]

/** Metaphors for things that have a term of the field: docs/glossary.md. */
const metaphors =
  /\b(Ground|Wish|Habits|Patience|Flight|airborne|Conversation|Remains|Rehearsal|Stretch|Crew|Stranger|Cable|quietJoins)\b/

/** Banned phrases in pages, comments, and sentences in strings. */
export function phraseViolations(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) =>
    proseOf(path, text).flatMap(prose =>
      phrases.flatMap(([phrase, instead]) => {
        const [found] =
          new RegExp(`.{0,30}${phrase.source}.{0,30}`, 'i').exec(prose.replace(/\s+/g, ' ')) ?? []
        return found === undefined ? [] : [`${path}: "${found}": ${instead}`]
      }),
    ),
  )
}

/** Identifiers that are metaphors. In pages only code is searched. */
export function metaphorViolations(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const [found] = metaphors.exec(identifiersOf(path, text)) ?? []
    return found === undefined ? [] : [`${path}: ${found}`]
  })
}

/** A run of code in a page: a fenced block, or a span within a line. */
const pageCode = /^```[\s\S]*?^```|`[^`\n]+`/gm
/** Comments, strings and regular expressions of TypeScript, JavaScript and C. Neighbouring `//` lines are one. */
const literals =
  /(?<comment>\/\*[\s\S]*?\*\/|(?:(?<![:\\/])\/\/[^\n]*\n?[ \t]*)+)|(?<string>'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`)|(?<=[=(,:[!&|?{};]\s*)\/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/g
/** Comments and strings of a shell script. */
const shellLiterals = /(?<comment>(?:(?<![^\s;])#[^\n]*\n?[ \t]*)+)|(?<string>'[^']*'|"(?:\\.|[^"\\])*")/g

const literalsOf = (path: string): RegExp => (/\.([cm]?[jt]s|[ch])$/.test(path) ? literals : shellLiterals)

/** The prose of a file, without the code in its sentences: the user `nobody` cannot be renamed. */
function proseOf(path: string, text: string): string[] {
  if (path.endsWith('.md'))
    return [text.replace(/`[^`\n]+`/g, '`').replace(/\]\([^)]*\)/g, ']')].flatMap(page =>
      page.split(/\n\s*\n/),
    )
  return Array.from(text.matchAll(literalsOf(path)), ({ groups }) => {
    const { comment, string = '' } = groups ?? {}
    if (comment === undefined) return string.includes(' ') ? string : ''
    return comment.replace(/^\s*(\*|\/\/|#)/gm, '').replace(/`[^`\n]+`/g, '`')
  })
}

function identifiersOf(path: string, text: string): string {
  if (path.endsWith('.md')) return (text.match(pageCode) ?? []).join('\n')
  return text.replace(literalsOf(path), ' ')
}
