/** A text on the one page of a PDF, in points from its lower left corner. */
export interface PdfTextAt {
  readonly text: string;
  readonly size: number;
  readonly y: number;
  readonly x?: number;
}

/** A PDF of one page with these texts in Helvetica; `isLocked`: one that wants a password. */
export function makePdf(texts: readonly PdfTextAt[], isLocked = false): Buffer {
  const content = texts
    .map(({ text, size, y, x = 72 }) => {
      const escaped = text.replace(/[\\()]/g, (character) => `\\${character}`);
      return `BT /F1 ${size} Tf ${x} ${y} Td (${escaped}) Tj ET`;
    })
    .join("\n");
  const objects = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
    `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    // No password has this check sum.
    `<< /Filter /Standard /V 1 /R 2 /P -4 /O <${"ab".repeat(32)}> /U <${"cd".repeat(32)}> >>`,
  ];
  let file = "%PDF-1.4\n";
  const offsets = objects.map((object, index) => {
    const offset = file.length;
    file += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return offset;
  });
  const start = file.length;
  const rows = offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`);
  const lock = isLocked ? `/Encrypt 6 0 R /ID [<${"01".repeat(16)}> <${"01".repeat(16)}>]` : "";
  file += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${rows.join("")}`;
  file += `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R ${lock} >>\nstartxref\n${start}\n%%EOF\n`;
  return Buffer.from(file, "latin1");
}
