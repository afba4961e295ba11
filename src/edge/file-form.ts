import type { MultipartFile } from "@fastify/multipart";
import type { FastifyRequest } from "fastify";
import { invalidField, messageOf, NightjarError } from "../sessions/errors.ts";

/**
 * The file in the form of a request, as a stream. Throws `unsupported_media_type`,
 * `malformed_body`, `upload_aborted`, or `invalid_request` where there is no part `file`.
 */
export async function fileInForm(request: FastifyRequest): Promise<MultipartFile> {
  if (!request.isMultipart()) {
    throw new NightjarError(
      "unsupported_media_type",
      "The request body must be a form (`Content-Type: multipart/form-data`) with one part `file`.",
    );
  }
  const part = await request.file().catch((error: unknown) => {
    throw isBrokenOff(error) ? brokenOff(error) : malformedForm(error);
  });
  if (part?.fieldname === "file") return part;
  throw invalidField(
    "file",
    part === undefined
      ? "file: the form has no file. Send it as a part called `file`, with a file name."
      : `file: the form's file must be called \`file\`, not ${JSON.stringify(part.fieldname.slice(0, 100))}.`,
    "missing",
  );
}

/** What went wrong while the file was read from its form and written. */
export function formFailure(error: unknown): unknown {
  if (error instanceof NightjarError || isOfFiles(error)) return error;
  return brokenOff(error);
}

function brokenOff(cause: unknown): NightjarError {
  return new NightjarError(
    "upload_aborted",
    "The form ends before its file is complete. Nothing of it was kept; send it again.",
    { cause },
  );
}

function malformedForm(cause: unknown): NightjarError {
  const message = `The request body is not a valid form: ${messageOf(cause)}.`;
  return new NightjarError("malformed_body", message, {
    issues: [{ location: ["body"], message, kind: "form_invalid" }],
  });
}

function isBrokenOff(error: unknown): boolean {
  return codeOf(error) === "FST_MP_PREMATURE_CLOSE" || /unexpected end/i.test(messageOf(error));
}

/** Errors of the operating system name the call that failed. */
function isOfFiles(error: unknown): boolean {
  return error instanceof Error && "syscall" in error && codeOf(error) !== "ECONNRESET";
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
