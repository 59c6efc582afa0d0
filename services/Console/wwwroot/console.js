// What only the browser knows or can do: the reader's time zone, saving a file, scrolling a list, and keys that open pages.
window.shopConsole = {
  zone: () => Intl.DateTimeFormat().resolvedOptions().timeZone,
  scroll: (region, toEnd) => { region.scrollTop = toEnd ? region.scrollHeight : 0; },
  save: (name, text) => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
    link.download = name;
    link.click();
    URL.revokeObjectURL(link.href);
  },
};

// The server no longer has the page whose connection was lost, for example after a restart of the console: its address is loaded again.
document.getElementById('components-reconnect-modal').addEventListener('components-reconnect-state-changed', event => {
  if (event.detail.state === 'rejected' || event.detail.state === 'failed') {
    location.reload();
  }
});

(() => {
  const pages = { t: '', o: 'orders', s: 'stock', c: 'catalogue', u: 'customers', m: 'messages' };
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
