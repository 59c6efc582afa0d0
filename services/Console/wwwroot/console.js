// What only the browser knows or can do: the reader's zone, and keys that lead to pages.
window.shopConsole = { zone: () => Intl.DateTimeFormat().resolvedOptions().timeZone };

(() => {
  const pages = { t: '', o: 'orders', s: 'stock', m: 'messages' };
  let waiting = false;
  document.addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, select, textarea')) {
      return;
    }

    if (event.key === '/') {
      const search = document.getElementById('search');
      if (search) {
        event.preventDefault();
        search.focus();
      }
    } else if (waiting && event.key in pages) {
      window.Blazor.navigateTo(pages[event.key]);
    }

    waiting = event.key === 'g';
  });
})();
