import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { judgeFile } from '../../../src/modules/support/judge-file.js';

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const JPEG = Buffer.concat([
  Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex'),
  Buffer.alloc(64),
  Buffer.from('ffd9', 'hex'),
]);
const PDF = Buffer.from('%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n', 'latin1');
const ZIP = Buffer.concat([Buffer.from('PK\x05\x06', 'latin1'), Buffer.alloc(18)]);
/** Holds by chance what an archive ends with. */
const CHANCE = Buffer.concat([PNG, Buffer.from('PK\x05\x06', 'latin1'), Buffer.alloc(30, 7)]);
const EXE = Buffer.concat([Buffer.from('MZ\x90\0\x03\0\0\0', 'latin1'), Buffer.alloc(120)]);
const ELF = Buffer.concat([Buffer.from('\x7fELF\x02\x01\x01\0', 'latin1'), Buffer.alloc(120)]);
const XLS = Buffer.concat([Buffer.from('d0cf11e0a1b11ae1', 'hex'), Buffer.alloc(600)]);
const CSV = 'Name;Preis\nMüller;1,50\n';

const judge = async (contentType: string, name: string, content: string | Buffer) => {
  const judged = await judgeFile({ name, contentType, content: Buffer.from(content as Buffer) });
  return typeof judged === 'string' ? judged : [judged.contentType, judged.name];
};

describe('a file of support is what its content is', () => {
  test.each<[string, string, string | Buffer, string, string]>([
    ['application/pdf', 'a.pdf', PDF, 'application/pdf', 'a.pdf'],
    ['application/octet-stream', 'a.PDF', PDF, 'application/pdf', 'a.PDF'],
    ['text/plain', 'a.txt', PDF, 'application/pdf', 'a.txt.pdf'],
    ['image/png', 'a.png', PNG, 'image/png', 'a.png'],
    ['image/png', 'chance.png', CHANCE, 'image/png', 'chance.png'],
    ['image/jpeg', 'photo.jpg', PNG, 'image/png', 'photo.jpg.png'],
    ['image/jpeg', 'photo.JPEG', JPEG, 'image/jpeg', 'photo.JPEG'],
    ['text/csv', 'a.csv', CSV, 'text/csv', 'a.csv'],
    ['text/csv', 'a.csv', `\ufeff${CSV}`, 'text/csv', 'a.csv'],
    ['application/vnd.ms-excel', 'a.csv', CSV, 'text/csv', 'a.csv'],
    ['application/vnd.ms-excel', 'BMW.csv', `BM;MZ\n${CSV}`, 'text/csv', 'BMW.csv'],
    ['', 'a.csv', CSV, 'text/csv', 'a.csv'],
    ['', 'notes', 'some text', 'text/plain', 'notes.txt'],
    ['TEXT/PLAIN', 'server.log', 'one\ttwo\r\n', 'text/plain', 'server.log.txt'],
    ['text/plain', 'run.bat', 'format c:', 'text/plain', 'run.bat.txt'],
    ['text/plain', 'a.html', '<script>alert(1)</script>', 'text/plain', 'a.html.txt'],
  ])('%s, %s', async (label, name, content, type, kept) => {
    expect(await judge(label, name, content)).toEqual([type, kept]);
  });

  test.each<[string, string, string, string | Buffer, RegExp]>([
    ['a program of Windows named pdf', 'application/pdf', 'a.pdf', EXE, /is application\/x-msdownload|exe/],
    ['a program of Linux named png', 'image/png', 'a.png', ELF, /is application\/x-elf/],
    [
      'a program of this machine named csv',
      'text/csv',
      'a.csv',
      readFileSync(process.execPath).subarray(0, 4_096),
      /is /,
    ],
    ['a script named pdf', 'application/pdf', 'a.pdf', '#!/bin/sh\nrm -rf ~\n', /is a program/],
    ['a script named txt', 'text/plain', 'a.txt', '#!/usr/bin/env python\n', /is a program/],
    [
      'a page named pdf',
      'application/pdf',
      'a.pdf',
      '<html><script>alert(1)</script>',
      /is text and not application\/pdf/,
    ],
    ['a page named png', 'image/png', 'a.png', '<svg onload="alert(1)"/>', /is text and not image\/png/],
    ['an archive', 'application/octet-stream', 'a.pdf', ZIP, /is application\/zip/],
    ['a workbook named csv', 'application/vnd.ms-excel', 'a.csv', XLS, /is application\/x-cfb/],
    ['a picture that is an archive too', 'image/png', 'a.png', Buffer.concat([PNG, ZIP]), /an archive as well/],
    [
      'a document that is an archive too',
      'application/pdf',
      'a.pdf',
      Buffer.concat([PDF, ZIP, Buffer.alloc(9)]),
      /an archive as well/,
    ],
    [
      'a document with an archive before many blanks',
      'application/pdf',
      'a.pdf',
      Buffer.concat([PDF, ZIP, Buffer.alloc(70_000, ' ')]),
      /an archive as well/,
    ],
    [
      'a picture that is a 7z archive too',
      'image/png',
      'a.png',
      Buffer.concat([PNG, Buffer.from('7z\xbc\xaf\x27\x1c', 'latin1'), Buffer.alloc(26)]),
      /an archive as well/,
    ],
    [
      'a picture that is a RAR archive too',
      'image/jpeg',
      'a.jpg',
      Buffer.concat([JPEG, Buffer.from('Rar!\x1a\x07\x01\0', 'latin1')]),
      /an archive as well/,
    ],
    ['a GIF named png', 'image/png', 'a.png', Buffer.from('GIF89a\x01\0\x01\0\0\0\0', 'latin1'), /is image\/gif/],
    ['letters of Windows', 'text/csv', 'a.csv', Buffer.from(CSV, 'latin1'), /UTF-8/],
    ['two bytes a letter', 'text/csv', 'a.csv', Buffer.from(`\ufeff${CSV}`, 'utf16le'), /./],
    ['bytes', 'text/plain', 'a.txt', Buffer.from([0, 1, 2, 3, 4, 5]), /no text/],
    ['an escape sequence', 'text/plain', 'a.txt', 'a\u001b]0;x\u0007', /no text/],
    ['a page that says so', 'text/html', 'a.txt', 'text', /text\/html is not accepted/],
    ['a video that says so', 'video/mp4', 'a.txt', 'text', /video\/mp4 is not accepted/],
  ])('%s is refused', async (_what, label, name, content, told) => {
    expect(await judge(label, name, content)).toEqual(expect.stringMatching(told));
  });

  test('text is looked at in slices, with a turn of others before each, and letters between two are whole', async () => {
    const turns: number[] = [];
    const judged = async (content: string) => {
      turns.length = 0;
      const turn = async () => void turns.push(1);
      return judgeFile({ name: 'a.txt', contentType: 'text/plain', content: Buffer.from(content) }, turn);
    };
    expect(await judged(`a${'ü'.repeat(512 * 1024)}`)).toMatchObject({ contentType: 'text/plain' });
    expect(turns).toHaveLength(17);
    expect(await judged(`${'a'.repeat(100_000)}\u0000${'a'.repeat(1_000_000)}`)).toMatch(/no text/);
    expect(turns).toHaveLength(2);
    const cutOff = Buffer.from(`${'a'.repeat(70_000)}ü`).subarray(0, -1);
    expect(await judge('text/plain', 'a.txt', cutOff)).toMatch(/no text/);
  });

  test.each<[string, string]>([
    ['../../etc/passwd', '___.._etc_passwd.txt'],
    ['C:\\Users\\a.txt', 'C__Users_a.txt'],
    ['a\r\nset-cookie: x.txt', 'a__set-cookie_ x.txt'],
    ['invoice\u202efdp.txt', 'invoicefdp.txt'],
    ['a\u200bb\u2066c\ufeff.txt', 'abc.txt'],
    ['a\u2028b\u0085c.txt', 'a_b_c.txt'],
    ['.htaccess', '_htaccess.txt'],
    ['a.txt. . ', 'a.txt'],
    ['CON', '_CON.txt'],
    ['nul.txt', '_nul.txt'],
    ['COM¹.txt', '_COM¹.txt'],
    ['conin$', '_conin$.txt'],
    ['a\u{e0041}\ufff9\u034f\u115f\u3164b.txt', 'ab.txt'],
    ['👩\u200d🔧\ufe0f.txt', '👩\u200d🔧\ufe0f.txt'],
    ['Mu\u0308ller.txt', 'Müller.txt'],
    ['', 'file.txt'],
    ['\u202e', 'file.txt'],
    [`${'n'.repeat(300)}.txt`, `${'n'.repeat(196)}.txt`],
    [`${'😀'.repeat(300)}.txt`, `${'😀'.repeat(196)}.txt`],
    ['a.php.txt', 'a.php.txt'],
    ['a.pdf', 'a.pdf.txt'],
  ])('the name %j is kept as %j', async (name, kept) => {
    expect(await judge('text/plain', name, 'text')).toEqual(['text/plain', kept]);
  });
});
