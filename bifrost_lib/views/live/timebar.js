// Where in time the page stands: live, or any stored moment. The slider is the browser's own, so the keyboard works.
const NEW_YORK = new Intl.DateTimeFormat("en-GB", {
  timeZone: "America/New_York", weekday: "short", day: "numeric", month: "short", year: "numeric",
  hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
})
const DAY = new Intl.DateTimeFormat("en-CA", { timeZone: "America/New_York" })
const PAUSE_MS = 120

export function render({ model }) {
  const bar = document.createElement("div")
  bar.className = "bar"
  function button(text, title, act) {
    const made = document.createElement("button")
    made.type = "button"
    made.textContent = text
    made.title = title
    made.setAttribute("aria-label", title)
    made.addEventListener("click", act)
    bar.append(made)
    return made
  }
  const live = button("Live", "follow the newest quotes", () => go(null))
  live.className = "live"
  button("\u00ab", "previous session", () => go(session(-1)))
  button("\u25c0", "previous stored moment", () => go(place() - 1))
  const slider = document.createElement("input")
  slider.type = "range"
  slider.min = "0"
  slider.setAttribute("aria-label", "Stored moment")
  bar.append(slider)
  button("\u25b6", "next stored moment", () => go(place() + 1))
  button("\u00bb", "next session", () => go(session(1)))
  const label = document.createElement("output")
  bar.append(label)

  let moments = JSON.parse(model.moments)
  const last = () => moments.length - 1
  const place = () => (model.at_ms === null ? last() + 1 : nearest(model.at_ms))
  function nearest(ms) {
    let low = 0
    let high = last()
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (moments[middle] <= ms) low = middle
      else high = middle - 1
    }
    return low
  }
  function session(step) {
    const day = (index) => DAY.format(new Date(moments[Math.min(Math.max(index, 0), last())]))
    let index = Math.min(place(), last())
    const here = day(index)
    while (index >= 0 && index <= last() && day(index) === here) index += step
    if (step > 0) { // the last moment of the next session, as a reader of closes expects
      const next = index <= last() ? day(index) : null
      while (index < last() && day(index + 1) === next) index += 1
    }
    return index
  }
  function go(index) {
    if (index === null || index > last()) model.at_ms = null
    else if (last() >= 0) model.at_ms = moments[Math.max(index, 0)]
    show()
  }
  function tell(index) {
    const isLive = index > last()
    live.classList.toggle("on", isLive)
    live.setAttribute("aria-pressed", String(isLive))
    label.textContent = isLive ? "live" : NEW_YORK.format(new Date(moments[index])).replace(" at ", " ").replaceAll(",", "")
  }
  function show() {
    slider.max = String(last() + 1)
    slider.value = String(place())
    slider.disabled = last() < 0
    tell(place())
  }
  let waiting = null
  slider.addEventListener("input", () => {
    tell(Number(slider.value)) // at once; the chain follows when the hand rests
    clearTimeout(waiting)
    waiting = setTimeout(() => go(Number(slider.value)), PAUSE_MS)
  })
  slider.addEventListener("keydown", (event) => {
    if (event.key !== "PageUp" && event.key !== "PageDown") return
    event.preventDefault()
    go(session(event.key === "PageUp" ? 1 : -1))
  })
  model.on("moments", () => { moments = JSON.parse(model.moments); show() })
  model.on("at_ms", show)
  show()
  return bar
}
