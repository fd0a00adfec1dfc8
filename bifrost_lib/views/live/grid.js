// A plain table: text left, numbers right with their unit in the head; rows can be chosen by mouse and keyboard.
export function render({ model }) {
  const box = document.createElement("div")
  box.className = "box"
  box.tabIndex = 0
  function draw() {
    const { columns, rows, caption, notice } = JSON.parse(model.table)
    const scrolled = box.scrollTop
    box.replaceChildren()
    if (caption) {
      const h2 = document.createElement("h2")
      h2.textContent = caption
      box.append(h2)
    }
    if (notice) {
      const p = document.createElement("p")
      p.className = `notice ${notice.kind}`
      p.setAttribute("role", notice.kind === "error" ? "alert" : "status")
      p.textContent = notice.text
      box.append(p)
      return
    }
    const table = document.createElement("table")
    const head = table.createTHead().insertRow()
    for (const column of columns) {
      const th = document.createElement("th")
      th.className = column.text ? "text" : "number"
      th.textContent = column.title
      th.title = column.help ?? ""
      const unit = document.createElement("i")
      unit.textContent = column.unit ? ` ${column.unit}` : ""
      th.append(unit)
      head.append(th)
    }
    const body = table.createTBody()
    for (const row of rows) {
      const tr = body.insertRow()
      if (row.key) {
        tr.className = "choosable"
        tr.tabIndex = 0
        const choose = () => { model.chosen = row.key }
        tr.addEventListener("click", choose)
        tr.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose() } })
        tr.dataset.key = row.key
      }
      row.cells.forEach((given, place) => {
        const td = tr.insertCell()
        const value = typeof given === "object" ? given : { text: given }
        td.className = `${columns[place].text ? "text" : "number"} ${value.kind ?? ""}`
        td.textContent = value.text
        if (value.title) td.title = value.title
        for (const { text, href } of value.links ?? []) {
          const link = Object.assign(document.createElement("a"), { textContent: text, href, target: "_blank", rel: "noopener" })
          td.append(link, " ")
        }
      })
    }
    box.append(table)
    box.scrollTop = scrolled
    mark()
  }
  function mark() {
    for (const tr of box.querySelectorAll("tr.choosable")) {
      tr.classList.toggle("chosen", tr.dataset.key === model.chosen)
      tr.setAttribute("aria-selected", String(tr.dataset.key === model.chosen))
    }
  }
  model.on("table", draw)
  model.on("chosen", mark)
  draw()
  return box
}
