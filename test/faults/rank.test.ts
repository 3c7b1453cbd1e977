import { expect, test } from 'bun:test';
import { chanceOfGreater, deviationOfChance } from './rank.ts';

test('the chance is 1, 0 and a half where it must be, and ties count by half', () => {
  expect(chanceOfGreater([3, 4], [1, 2])).toBe(1);
  expect(chanceOfGreater([1, 2], [3, 4])).toBe(0);
  expect(chanceOfGreater([1, 2, 3], [1, 2, 3])).toBe(0.5);
  expect(chanceOfGreater([1, 4], [2, 3])).toBe(0.5);
  expect(chanceOfGreater([1, 2], [1, 3])).toBe(0.375);
});

test('of samples from one distribution it stays within its deviation as often as it should', () => {
  const draw = (count: number) => Array.from({ length: count }, () => Math.random());
  const deviation = deviationOfChance(30, 30);
  const chances = Array.from({ length: 400 }, () => chanceOfGreater(draw(30), draw(30)));
  const within = chances.filter((chance) => Math.abs(chance - 0.5) <= 2 * deviation).length / chances.length;
  expect(within).toBeGreaterThan(0.9);
  expect(chances.filter((chance) => Math.abs(chance - 0.5) > 5 * deviation)).toEqual([]);
});
