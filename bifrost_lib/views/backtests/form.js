// The form that asks for a run. It is the browser's own, so that keyboard, calendar and screen reader work as they do elsewhere.
export function render({ model }) {
  const form = document.createElement("form")
  form.className = "ask"
  form.setAttribute("aria-label", "Run a backtest")
  form.noValidate = true
  const fields = {}

  function field(name, label, control, width) {
    const box = document.createElement("label")
    const words = document.createElement("span")
    words.textContent = label
    control.name = name
    control.style.width = `${width}px`
    box.append(words, control)
    form.append(box)
    fields[name] = control
  }
  function input(type, options = {}) {
    const made = document.createElement("input")
    made.type = type
    return Object.assign(made, options)
  }
  field("strategy", "Strategy", document.createElement("select"), 196)
  field("symbol", "Symbol", document.createElement("select"), 84)
  field("start", "From", input("date"), 122)
  field("end", "To", input("date"), 122)
  field("fills", "Fills", document.createElement("select"), 118)
  field("capital", "Capital, $", input("number", { min: 1000, step: 1000 }), 96)

  const run = document.createElement("button")
  run.type = "submit"
  run.className = "run"
  run.textContent = "Run"
  const cancel = document.createElement("button")
  cancel.type = "button"
  cancel.textContent = "Cancel"
  const told = document.createElement("div")
  told.className = "told"
  told.setAttribute("role", "status")
  const words = document.createElement("span")
  const bar = document.createElement("progress")
  bar.max = 1
  bar.setAttribute("aria-label", "how much of the run is done")
  told.append(words, bar)
  form.append(run, cancel, told)

  function fill(select, options, chosen) {
    select.replaceChildren()
    for (const [value, text] of options) select.append(new Option(text, value, false, value === chosen))
  }
  function offer() {
    const { strategies = [], symbols = [], fills = {}, values = {} } = JSON.parse(model.choices)
    const kept = (name) => fields[name].value || values[name] || ""
    fill(fields.strategy, strategies.map((name) => [name, name.replaceAll("_", " ")]), kept("strategy"))
    fill(fields.symbol, symbols.map((name) => [name, name]), kept("symbol"))
    fill(fields.fills, Object.entries(fills), kept("fills"))
    for (const name of ["start", "end", "capital"]) fields[name].value = kept(name)
  }
  function show() {
    const { running = false, share = null, text = "", kind = "" } = model.state
    run.disabled = running
    cancel.hidden = !running
    bar.hidden = !running
    if (share === null) bar.removeAttribute("value")
    else bar.value = share
    words.textContent = text
    words.title = text
    told.className = `told ${kind}`
    told.setAttribute("role", kind === "error" ? "alert" : "status")
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault()
    if (run.disabled) return
    model.values = Object.fromEntries(Object.entries(fields).map(([name, control]) => [name, control.value]))
    model.asked += 1
  })
  const stop = () => { if (!cancel.hidden) model.cancelled += 1 }
  cancel.addEventListener("click", stop)
  form.addEventListener("keydown", (event) => { if (event.key === "Escape") stop() })
  model.on("choices", offer)
  model.on("state", show)
  offer()
  show()
  return form
}
