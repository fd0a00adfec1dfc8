(() => {
  const root = document.documentElement
  const system = matchMedia("(prefers-color-scheme: dark)")
  const wanted = () => localStorage.getItem("bf-theme") ?? (system.matches ? "dark" : "light")
  const drawn = root.dataset.theme
  const keep = (theme) => { document.cookie = `bf-theme=${theme}; path=/; max-age=31536000; SameSite=Lax` }
  const follow = () => { // charts are coloured by the server, once
    keep(wanted())
    if (wanted() !== drawn && document.cookie.includes(`bf-theme=${wanted()}`)) location.reload()
  }
  window.bifrostTheme = () => {
    const next = wanted() === "dark" ? "light" : "dark"
    if (next === (system.matches ? "dark" : "light")) localStorage.removeItem("bf-theme")
    else localStorage.setItem("bf-theme", next)
    follow()
  }
  system.addEventListener("change", follow)
  follow()
})()
