// Times @huggingface/jinja over prepared cases: `node jinja.mjs MODULES CASES TEMPLATES [ROUNDS]`. One number
// a line, in microseconds; -1 where it fails. Without ROUNDS it renders the first case and ends.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const [modules, cases, templates, rounds] = process.argv.slice(2)
const { Template } = createRequire(join(modules, 'x.js'))('@huggingface/jinja')
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
  let best = Infinity
  for (let round = 0; round < Number(rounds); round++) {
    const begun = process.hrtime.bigint()
    try {
      compiled.get(t).render(context)
      best = Math.min(best, Number(process.hrtime.bigint() - begun) / 1000)
    } catch {
      best = -1
    }
  }
  console.log(best.toFixed(3))
}
