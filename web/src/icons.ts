// The pictures of the map's sprite, for the legend and the panel.

const urls = import.meta.glob<string>('../sprites/*.svg', {
  eager: true,
  query: '?url',
  import: 'default',
});

export function iconUrl(name: string): string {
  return urls[`../sprites/${name}.svg`] ?? '';
}
