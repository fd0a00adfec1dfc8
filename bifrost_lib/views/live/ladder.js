// Calls, strikes, puts. `table` draws everything; `patch` changes single cells, which then flash.
function cell(row, tag, text, className) {
  const made = document.createElement(tag)
  made.className = className
  made.textContent = text
  row.append(made)
  return made
}

const number = (text) => parseFloat(text.replaceAll(",", "").replace("\u2212", "-"))

export function render({ model }) {
  const box = document.createElement("div")
  box.className = "box"
  box.tabIndex = 0
  box.setAttribute("role", "region")
  box.setAttribute("aria-label", "Option chain")
  let given = {}
  let cells = []
  let rows = []

  function notice(kind, title, text) {
    box.replaceChildren()
    const block = document.createElement("div")
    block.className = `notice ${kind}`
    block.setAttribute("role", kind === "error" ? "alert" : "status")
    const strong = document.createElement("strong")
    strong.textContent = title
    const span = document.createElement("span")
    span.textContent = text
    block.append(strong, span)
    box.append(block)
  }

  function heads(table, given) {
    const top = document.createElement("tr")
    const width = given.columns.length / 2
    for (const [title, span] of [["Calls", width], ["", 1], ["Puts", width]]) {
      const th = cell(top, "th", title, "side")
      th.colSpan = span
    }
    const names = document.createElement("tr")
    const strike = { title: "Strike", unit: "$", help: "strike price" }
    for (const column of [...given.columns.slice(0, width), strike, ...given.columns.slice(width)]) {
      const th = cell(names, "th", column.title, "number")
      th.title = column.help
      const unit = document.createElement("i")
      unit.textContent = column.unit ? ` ${column.unit}` : ""
      th.append(unit)
    }
    const thead = document.createElement("thead")
    thead.append(top, names)
    table.append(thead)
  }

  function draw() {
    given = JSON.parse(model.table)
    cells = []
    rows = []
    if (!given.rows) return
    if (given.notice) { notice(given.notice.kind, given.notice.title, given.notice.text); return }
    const same = box.dataset.key === given.key
    const scrolled = box.scrollTop
    const table = document.createElement("table")
    heads(table, given)
    const body = document.createElement("tbody")
    const width = given.columns.length / 2
    for (const line of given.rows) {
      const tr = document.createElement("tr")
      const drawn = []
      line.cells.forEach((text, place) => {
        if (place === width) cell(tr, "th", line.strike, "strike").scope = "row"
        const right = place < width ? 0 : 1
        const column = given.columns[place]
        const td = cell(tr, "td", text, `${column.name} ${line.inside[right] ? "inside" : ""} ${line.dim[right] ? "dim" : ""}`)
        if (line.why[right]) td.title = line.why[right]
        if (column.name === "mid_change") sign(td)
        drawn.push(td)
      })
      cells.push(drawn)
      rows.push(tr)
      body.append(tr)
    }
    table.append(body)
    box.replaceChildren(table)
    box.dataset.key = given.key
    mark(given.spot_row)
    if (same) box.scrollTop = scrolled
    else centre(given.spot_row)
  }

  function sign(td) {
    td.classList.toggle("up", number(td.textContent) > 0)
    td.classList.toggle("down", number(td.textContent) < 0)
  }

  function mark(place) {
    rows.forEach((tr, index) => tr.classList.toggle("at-spot", index === place))
  }

  function centre(place) {
    requestAnimationFrame(() => {
      const row = rows[Math.min(Math.max(place, 0), rows.length - 1)]
      if (row) box.scrollTop = row.offsetTop - box.clientHeight / 2
    })
  }

  function apply() {
    const patch = model.patch
    for (const [row, column, text] of patch.cells ?? []) {
      const td = cells[row]?.[column]
      if (!td || td.textContent === text) continue
      const move = number(text) - number(td.textContent)
      td.textContent = text
      td.classList.remove("flash-up", "flash-down", "dim")
      if (td.classList.contains("mid_change")) sign(td)
      if (move) {
        void td.offsetWidth // starts the animation anew
        td.classList.add(move > 0 ? "flash-up" : "flash-down")
      }
    }
    if (patch.spot_row !== undefined) mark(patch.spot_row)
    box.dataset.patched = String(patch.sent_ms ?? "")
  }

  model.on("table", draw)
  model.on("patch", apply)
  model.on("after_render", () => centre(given.spot_row ?? 0))
  draw()
  return box
}
