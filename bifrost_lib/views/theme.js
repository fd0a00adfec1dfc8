// Light or dark: what the viewer chose, or else what his system prefers, the same on every page of the platform.
// `paint` shows a theme on this page; what is returned chooses the other one. Servers read the choice from a cookie.
const bifrostThemes = (paint) => {
  const system = matchMedia("(prefers-color-scheme: dark)")
  const preferred = () => (system.matches ? "dark" : "light")
  const wanted = () => localStorage.getItem("bf-theme") ?? preferred()
  const follow = () => {
    document.cookie = `bf-theme=${wanted()}; path=/; max-age=31536000; SameSite=Lax`
    paint(wanted())
  }
  system.addEventListener("change", follow)
  addEventListener("storage", follow) // chosen on another page that is open
  follow()
  return () => {
    const next = wanted() === "dark" ? "light" : "dark"
    if (next === preferred()) localStorage.removeItem("bf-theme")
    else localStorage.setItem("bf-theme", next)
    follow()
  }
}
