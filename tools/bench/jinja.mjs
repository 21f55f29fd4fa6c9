// Times @huggingface/jinja over prepared cases: `node jinja.mjs MODULES CASES TEMPLATES [ROUNDS]`. One number
// a line, in microseconds; -1 where it fails. Without ROUNDS it renders the first case and ends. With
// `node jinja.mjs MODULES --compile TEMPLATES ROUNDS` it times the compiling of each template, in the order of
// their names.

import { readFileSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const [modules, ...rest] = process.argv.slice(2)
const { Template } = createRequire(join(modules, 'x.js'))('@huggingface/jinja')

function fastest(rounds, run) {
  let best = Infinity
  for (let round = 0; round < Number(rounds); round++) {
    const begun = process.hrtime.bigint()
    try {
      run()
      best = Math.min(best, Number(process.hrtime.bigint() - begun) / 1000)
    } catch {
      best = -1
    }
  }
  return best
}

if (rest[0] === '--compile') {
  const [, folder, rounds] = rest
  for (const name of readdirSync(folder).sort()) {
    const source = readFileSync(join(folder, name), 'utf8')
    console.log(fastest(rounds, () => new Template(source)).toFixed(3))
  }
  process.exit()
}

const [cases, templates, rounds] = rest
const compiled = new Map()
for (const line of readFileSync(cases, 'utf8').trimEnd().split('\n')) {
  const { t, context } = JSON.parse(line)
  if (!compiled.has(t)) {
    try {
      compiled.set(t, new Template(readFileSync(join(templates, `${t}.jinja`), 'utf8')))
    } catch {
      compiled.set(t, undefined)
    }
  }
  if (rounds === undefined) {
    console.log(compiled.get(t).render(context))
    break
  }
  console.log(fastest(rounds, () => compiled.get(t).render(context)).toFixed(3))
}
